"""What is said of a base prior: in sentences, at the gate, and in the table."""

import pytest

from lighthouse.priors.verdict import KINDS, advice, judged
from lighthouse.report.prior_verdict import (
    COLUMNS,
    check_gate,
    lines,
    prior_verdict_table,
    sentences,
)
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import write_json
from shipped import SHIPPED

OPTIONS = SHIPPED["datasets"]["digits"]
BOUNDS = {"weak": 0.9, "useless": 0.3}


def record(prior=(0.12, 0.16), real=(0.5, 0.5), back=(0.5, 0.5), ended_by="steps", **more):
    taught = dict(zip(KINDS, (prior, real, back), strict=True))
    found = judged(taught, n_classes=10, n_judged=400, **BOUNDS)
    return {
        **{"dataset": "digits", **found, **BOUNDS, "ipc": 5, "sets": len(prior)},
        "advice": advice(found["verdict"], found["limit"], "digits", OPTIONS, ended_by),
        **{"judged_on": "val", "n_judged": 400},
        **{"precision": 0.25, "coverage": 0.125, "coverage_real": 0.5},
        **{"squared_error": 0.04, "squared_error_on": "val", "autoencoder_seconds": 30.0},
        "training": {
            **{"steps": 2000, "seconds": 90.0, "ended_by": ended_by, "held_out_loss": 0.25},
        },
        **more,
    }


def test_a_useless_prior_is_told_with_what_it_rests_on_and_what_to_change():
    assert sentences(record()) == [
        "digits: the base prior is useless to distil with: its images teach next to nothing.",
        "Students of 5 images a class that it draws reach 14.0 ± 2.8 % on the validation part, of "
        "as many random real images 50.0 ± 0.0 %; guessing reaches 10.0 % (2 sets each). Above "
        "guessing it teaches 0.10 of what the real images do (weak below 0.9, useless below 0.3).",
        "The same real images, encoded and decoded by the autoencoder, reach 50.0 ± 0.0 %; the "
        "error of all is 20.0 dB (PSNR, the higher the better).",
        "25.0 % of its images lie among the real ones of their class (precision); they have 12.5 % "
        "of these in their surroundings (coverage), the random real images 50.0 %.",
        "Its training took 2,000 steps and was ended by its given length; held-out loss 0.25.",
        "The denoiser limits it, not the autoencoder.",
        "Change datasets.digits.base.steps from 2000 to 8000 (about 5 minutes more a replicate).",
    ]


def test_an_autoencoder_that_limits_is_told_with_its_own_minutes():
    *_, limit, first, second = sentences(record(back=(0.12, 0.16)))
    assert limit == (
        "The autoencoder limits it: its reconstructions teach 0.10 of what the real images do."
    )
    assert (
        first == "Change datasets.digits.autoencoder.steps from 300 to 1200 (about 2 minutes more)."
    )
    assert second == "Or change datasets.digits.autoencoder.latent_channels from 1 to 2."


def test_a_good_prior_is_told_without_advice():
    told = sentences(record(prior=(0.5, 0.5)))
    assert told[0] == "digits: the base prior is good enough to distil with."
    assert told[-1].startswith("Its training took")


def test_what_cannot_be_told_says_why():
    told = sentences(record(prior=(0.1,), real=(0.12,)))
    assert told[0] == "digits: whether the base prior is worth distilling with is undecided."
    assert "learn no more than chance" in told[1]
    assert "reach 10.0 % on" in told[1]  # of one set there is no deviation


def test_a_pretrained_prior_and_one_without_held_out_images():
    training = {"steps": 0, "seconds": 1.0, "ended_by": None, "held_out_loss": None}
    assert "It is a pretrained model, taken as it is." in sentences(record(training=training))
    training = {"steps": 7, "seconds": 1.0, "ended_by": "flat", "held_out_loss": None}
    told = sentences(record(training=training))
    assert "Its training took 7 steps and was ended by a held-out loss that fell no more." in told
    assert any("A longer training would not help." in line for line in told)


def test_a_run_stops_at_a_useless_prior_and_says_how_to_go_on():
    with pytest.raises(DataError) as error:
        check_gate(record(), "stop")
    told = str(error.value).splitlines()
    assert told[: len(sentences(record()))] == sentences(record())
    assert told[-1] == "  run: {prior_check: {on_useless: go-on}}"


@pytest.mark.parametrize(
    ("found", "on_useless"),
    [
        (record(), "go-on"),
        (record(prior=(0.3, 0.3)), "stop"),
        (record(prior=(0.1,), real=(0.1,)), "stop"),
    ],
)
def test_a_run_goes_on_at_any_other_or_where_it_is_told_to(found, on_useless):
    check_gate(found, on_useless)


def test_the_lines_are_those_of_every_dataset_and_none_of_no_record(tmp_path):
    assert lines(tmp_path) == []
    for name in ("b", "a"):
        found = {**record(), "dataset": name}
        write_json(tmp_path / "metrics" / "prior" / f"{name}.json", found)
        write_json(tmp_path / "metrics" / "prior" / name / "gate.json", {})
    told = lines(tmp_path)
    assert [line[:2] for line in told if line[1:2] == ":"] == ["a:", "b:"]
    assert len(told) == 2 * len(sentences(record()))


def test_the_table_has_percents_the_first_advice_and_a_row_of_what_was_not_judged():
    made = prior_verdict_table([record(), None], ["digits", "lost"])
    table = made["table"]
    assert tuple(table.columns) == COLUMNS
    first, lost = table.rows
    assert first["share_taught"] == pytest.approx(0.1)
    assert (first["top1_sampled"], first["chance"]) == pytest.approx((14, 10))
    assert (first["change"], first["to"]) == ("datasets.digits.base.steps", "8000")
    assert (first["psnr"], first["status"]) == (pytest.approx(20), "measured")
    assert (lost["dataset"], lost["status"]) == ("lost", "missing")
    assert lost["verdict"] != lost["verdict"]
    assert "- digits: the base prior is useless" in made["markdown"]
    assert "- lost: missing, because a computation failed." in made["markdown"]


def test_a_good_prior_leaves_the_fields_of_the_advice_empty():
    (row,) = prior_verdict_table([record(prior=(0.5,))], ["digits"])["table"].rows
    assert row["verdict"] == "good"
    empty = [name for name in COLUMNS if row[name] != row[name]]
    assert empty == ["limit", "change", "to", "top1_sampled_std"]
