"""The check of base priors: where it is asked, by which sets and students, and what is refused."""

import copy

import pytest

from lighthouse.config import paths, prior_check
from lighthouse.config.batches import SCALED, batches
from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from lighthouse.report.items import items
from repository import ROOT
from shipped import LEFT_OUT, SHIPPED, changed, one_problem

CHECK = SHIPPED["run"]["prior_check"]


def bare(method):
    """A study of one method and nothing beside it."""
    return {
        **LEFT_OUT,
        "methods": [method],
        "comparisons": {"base": method, "pairs": [], "alpha": 0.05},
        "spectrum": {"ipc": 10, "curves": [{"source": method, "method": method}]},
    }


def study(**run):
    config = copy.deepcopy(SHIPPED)
    config["run"].update(run)
    return load_study(config, ROOT)


def names(found):
    return {item.name for item in items(found)}


def test_a_dataset_is_checked_where_a_method_samples_from_a_prior():
    assert prior_check.checked(study()) == ["digits"]
    assert prior_check.checked(study(prior_check=None)) == []
    assert prior_check.checked(study(**bare("dit"))) == ["digits"]
    assert prior_check.checked(study(**bare("random"))) == []


def test_what_is_made_of_it_is_made_where_it_is_asked():
    asked = names(study()) - names(study(prior_check=None))
    sheets = {"figure_prior_digits", "figure_reconstructions_digits"}
    assert asked == {"table_prior_verdict", *sheets}
    hidden = names(study(pictures={"columns": 2, "real": False}))
    assert sheets & hidden == {"figure_prior_digits"}


def test_without_real_pictures_the_priors_own_are_shown_alone():
    found = items(study(pictures={"columns": 2, "real": False}))
    (sheet,) = (item for item in found if item.name == "figure_prior_digits")
    assert sheet.reads == [paths.prior_images("digits", "sampled")]


def test_its_seeds_are_those_of_no_other_set():
    last = 2**32 - 1
    assert prior_check.seeds(study()) == [last, last - 1]
    tuning = {**SHIPPED["run"]["tuning"], "seeds": [last - 1]}
    taken = study(seeds=[0, last, 2], tuning=tuning)
    assert prior_check.seeds(taken) == [last - 2, last - 3]


def test_students_are_those_of_the_tuning_or_the_studys_first():
    tuning = {**SHIPPED["run"]["tuning"], "student": "convnet3"}
    assert prior_check.student_of(study(tuning=tuning)) == ("convnet3", "digits")
    assert prior_check.student_of(study(**bare("dit"))) == ("convnet2", "digits")


def test_images_are_drawn_as_unguided_ones_are():
    found = study()
    assert prior_check.sampler(found, "digits") == found.sampler(Cell("digits", "dit", 5))
    assert prior_check.scale_record(found, "digits") is None


def test_a_scale_that_is_chosen_is_waited_for_and_its_candidates_wait_for_nothing():
    config = changed("datasets.digits.sampler.guidance_scale", [1.0, 2.0])
    config["run"]["tuning"]["guidance_scale_ipc"] = 5
    found = load_study(config, ROOT)
    assert prior_check.sampler(found, "digits")["guidance_scale"] is None
    assert prior_check.scale_record(found, "digits") == paths.tuning(Cell("digits", "dit", 5))
    assert [b.name for b in batches(found) if b.kind == SCALED] == ["base/scales/0"]


def test_bounds_that_cross_are_refused():
    config = changed("run.prior_check", {**CHECK, "useless": 0.95})
    one_problem(config, "run.prior_check.useless: 0.95 is above weak, 0.9")


def test_an_ipc_that_the_protocol_does_not_know_is_refused():
    config = changed("run.prior_check", {**CHECK, "ipc": 201})
    config["protocols"]["digits"]["batch_size"] = [[1000, 50]]
    one_problem(
        config, "run.prior_check.ipc", "'digits' has no epochs for IPC 201", "up to IPC 200"
    )


@pytest.mark.parametrize(
    ("key", "value", "same"),
    [
        ("classifier.epochs", 2, True),
        ("sampler.micro_batch", 40, True),
        ("surrogate.threshold", 0.6, True),
        ("tuning.steps", 3, True),
        ("base.steps", 3, False),
        ("sampler.guidance_scale", 3.0, False),
    ],
)
def test_a_verdict_is_told_of_a_dataset_what_its_advice_may_change(key, value, same):
    other = load_study(changed(f"datasets.digits.{key}", value), ROOT)
    found = (prior_check.changeable(one, "digits") for one in (study(), other))
    assert (next(found) == next(found)) == same
