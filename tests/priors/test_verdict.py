"""The verdict on a base prior, from accuracies of students, and the advice that goes with it."""

import pytest

from lighthouse.config.prior_check import READS
from lighthouse.priors.verdict import LONGER, advice, judged
from shipped import SHIPPED

#: Of ten classes; 400 images judge, so that two standard errors are 3 %.
SIZE = {"n_classes": 10, "n_judged": 400, "weak": 0.9, "useless": 0.3}
OPTIONS = SHIPPED["datasets"]["digits"]
STOP = {"every": 250, "patience": 6, "least": 0.0, "steps": 4000, "minutes": 30}


def verdict(prior, real=(0.5,), reconstructed=(0.5,)):
    return judged({"sampled": prior, "real": real, "reconstructed": reconstructed}, **SIZE)


def changes(options, limit="denoiser", verdict="useless", ended_by="steps"):
    read = {key: value for key, value in {**OPTIONS, **options}.items() if key in READS}
    read["sampler"] = {"guidance_scale": read["sampler"]["guidance_scale"]}
    found = advice(verdict, limit, "digits", read, ended_by)
    return {change["key"].removeprefix("datasets.digits."): change["to"] for change in found}


@pytest.mark.parametrize(
    ("prior", "share", "word"),
    [
        (0.50, 1.0, "good"),
        (0.47, 0.925, "good"),
        (0.42, 0.8, "weak"),
        (0.23, 0.325, "weak"),
        (0.20, 0.25, "useless"),
        (0.10, 0.0, "useless"),
        (0.05, -0.125, "useless"),
    ],
)
def test_a_verdict_goes_by_the_share_of_what_real_images_teach_above_chance(prior, share, word):
    found = verdict([prior])
    assert found["share"] == pytest.approx(share)
    assert (found["verdict"], found["chance"]) == (word, 0.1)


def test_accuracies_are_means_over_sets_with_their_deviation():
    found = verdict([0.2, 0.4], real=[0.5, 0.7])["accuracy"]
    assert found["sampled"]["mean"] == pytest.approx(0.3)
    assert found["real"]["std"] == pytest.approx(0.02**0.5)
    assert found["reconstructed"] == {"mean": 0.5, "std": None}


@pytest.mark.parametrize(("real", "decided"), [(0.129, False), (0.131, True)])
def test_where_real_images_teach_nothing_nothing_is_decided(real, decided):
    """Two standard errors above chance: 0.1 + 2 √(0.1 · 0.9 / 400) = 0.13."""
    found = verdict([0.1], real=[real])
    assert (found["verdict"] != "undecided") == (found["share"] is not None) == decided
    assert (found["limit"] is not None) == decided


@pytest.mark.parametrize(
    ("prior", "back", "limit"),
    [
        (0.14, 0.14, "autoencoder"),
        (0.14, 0.29, "autoencoder"),  # of 0.9 that are lost it loses 0.525
        (0.14, 0.34, "denoiser"),  # and here 0.4, less than half
        (0.42, 0.47, "denoiser"),  # what comes back is good
        (0.48, 0.20, None),
    ],
)
def test_the_part_that_loses_half_of_what_is_lost_limits(prior, back, limit):
    assert verdict([prior], reconstructed=[back])["limit"] == limit


def test_a_good_prior_and_an_undecided_one_get_no_advice():
    assert advice("good", None, "digits", OPTIONS, "steps") == []


@pytest.mark.parametrize(("word", "times"), LONGER.items())
def test_a_training_of_a_given_length_is_to_be_longer(word, times):
    assert changes({}, verdict=word) == {"base.steps": times * OPTIONS["base"]["steps"]}
    epochs = {key: value for key, value in OPTIONS["base"].items() if key != "steps"}
    assert changes({"base": {**epochs, "epochs": 3}}, verdict=word) == {"base.epochs": 3 * times}


def test_a_training_that_its_budget_ended_is_to_have_more_of_it():
    base = {"base": {"stop": STOP}}
    assert changes(base, ended_by="step budget") == {"base.stop.steps": 16000}
    assert changes(base, ended_by="minute budget") == {"base.stop.minutes": 120}


def test_where_the_loss_is_flat_no_longer_training_is_advised():
    found = changes({"base": {"stop": STOP}, "image_size": 64}, ended_by="flat")
    scales = [1.0, 1.5, 2.5, 4.0]
    assert found == {"sampler.guidance_scale": scales, "image_size": 32, "denoiser.heads": 8}
    chosen = {**OPTIONS["sampler"], "guidance_scale": scales}
    pretrained = {"pretrained": "a/b", "revision": None, "class_embeddings": "new"}
    given = {"base": {"stop": STOP}, "sampler": chosen, "denoiser": pretrained}
    assert changes({**given, "image_size": 24}, ended_by="flat") == {}


def test_a_pretrained_denoiser_that_is_taken_as_it_is_is_to_be_trained():
    (key,) = changes({"base": None}, ended_by=None)
    assert key == "base"


def test_an_autoencoder_is_to_be_trained_longer_or_to_keep_more():
    found = changes({}, limit="autoencoder")
    assert found == {"autoencoder.steps": 1200, "autoencoder.latent_channels": 2}
    given = {"autoencoder": {"pretrained": "a/b"}, "image_size": 64}
    assert changes(given, limit="autoencoder") == {"image_size": 128}


def test_only_a_longer_training_says_how_many_times_as_long():
    longer, wider = advice("weak", "autoencoder", "digits", OPTIONS, "steps")
    assert (longer["of"], longer["times"]) == ("autoencoder", 2)
    assert wider.keys() == {"key", "now", "to"}
