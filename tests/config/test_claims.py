"""Claims: which rows they are about, and those that a study cannot decide, each in one line."""

import copy

import pytest

from lighthouse.config.claims import claim_rows
from lighthouse.config.load import load_study
from lighthouse.parts.measures import MEASURES
from repository import ROOT
from shipped import SHIPPED, changed, one_problem, problems

SIDES = {
    "name": "a",
    "says": "A is above B.",
    "place": "ours",
    "measure": "accuracy",
    "of": "rsm-cgs",
    "against": "dit",
    "direction": "above",
    "ipc": 5,
}
TREND = {
    "name": "b",
    "says": "A falls.",
    "place": "S §3",
    "measure": "ssim",
    "of": "rsm-cgs",
    "along": "eta_dpp",
    "direction": "falls",
}
LATENT = {**SIDES, "measure": "effective_rank", "of": "rsm", "against": "control", "ipc": 10}


def claiming(*claims, config=SHIPPED):
    return changed("run.claims", list(claims), config)


def rows(*claims):
    return claim_rows(load_study(claiming(*claims), ROOT))


# What a claim is about.


def test_a_claim_of_accuracies_is_of_the_studys_first_student_and_protocol():
    (row,) = rows(SIDES)
    judged = {"student": "convnet2", "protocol": "digits"}
    assert row["places"] == [
        {"dataset": "digits", "method": method, "ipc": 5, "variant": "table", **judged}
        for method in ("rsm-cgs", "dit")
    ]
    assert row["rises"] and (row["student"], row["along"]) == ("convnet2", "")


def test_a_trend_goes_along_the_sweeps_cells_by_rising_value():
    (row,) = rows(TREND)
    variants = ["eta_dpp~0", "table", "eta_dpp~300", "eta_dpp~1000"]
    assert [place["variant"] for place in row["places"]] == variants
    assert (row["rises"], row["ipc"], row["against"], row["student"]) == (False, 5, "", "")


def test_a_spectrum_is_found_by_its_curve():
    (row,) = rows(LATENT)
    assert [place["source"] for place in row["places"]] == ["RSM", "lambda=0"]


def test_a_distance_and_a_cost_are_found_without_a_variant():
    for measure in ("frechet", "seconds"):
        (row,) = rows({**SIDES, "measure": measure})
        assert row["places"][0] == {"dataset": "digits", "method": "rsm-cgs", "ipc": 5}


def test_a_study_without_claims_has_no_rows():
    assert claim_rows(load_study(SHIPPED, ROOT)) == []


# What is refused.

MISTAKES = {
    "an unknown method": (
        {"of": "rsm-cg"},
        ["run.claims: 'rsm-cg' is not known", "run.claims: null"],
    ),
    "a measure of no table": ({"measure": "beauty"}, ["'beauty' is not known; allowed: accuracy"]),
    "a method against itself": (
        {"against": "rsm-cgs"},
        ["claims.a.against: 'rsm-cgs' is compared"],
    ),
    "an IPC that is not run": ({"ipc": 7}, ["claims.a.ipc: 7 is not one of run.ipc: 1, 5, 10"]),
    "a method that only leaves out": (
        {"against": "dit-igd"},
        ["claims.a.against: 'dit-igd' is not computed at IPC 5; allowed: random, herding"],
    ),
    "the direction of a trend": (
        {"direction": "falls"},
        ["claims.a.direction: 'falls' does not go with 'against'; allowed: above, below"],
    ),
    "an unknown student": (
        {"student": "convnet6"},
        ["claims.a.student: 'convnet6' is not one of this study; allowed: convnet2"],
    ),
    "a student of what has none": (
        {"measure": "coverage", "student": "convnet2"},
        ["claims.a.student: has no effect with measure 'coverage'; leave it out"],
    ),
    "a spread of one image": (
        {"measure": "ssim", "ipc": 1},
        ["claims.a.measure: 'ssim' is of 2 images of a class or more, not of 1"],
    ),
    "a spectrum that is not drawn": (
        {"measure": "tail", "of": "rsm", "ipc": 10},
        ["'tail' is of the curves of run.spectrum, and 'dit' at IPC 10 is none; allowed: random"],
    ),
    "passes of no denoiser": (
        {"measure": "passes", "of": "support-none"},
        ["claims.a.measure: 'passes' of 'support-none', which has no denoiser, says nothing"],
    ),
    "seconds of real images": (
        {"measure": "seconds", "of": "random"},
        ["'seconds' of 'random', which is not sampled here, is not known by replicate"],
    ),
}
TRENDS = {
    "a number that is not swept": (
        {"along": "learning_rate"},
        ["claims.b.along: 'learning_rate' is not swept; allowed: lambda, eta_dpp, mu_dm"],
    ),
    "another method than the sweep's": (
        {"of": "cgs"},
        ["claims.b.of: 'cgs' is not the method of run.sweep: rsm-cgs"],
    ),
    "a measure that a sweep has not": (
        {"measure": "frechet"},
        ["'frechet' is not taken of a sweep's sets; allowed: accuracy, log_det, coverage"],
    ),
    "the direction of two sides": (
        {"direction": "above"},
        ["claims.b.direction: 'above' does not go with 'along'; allowed: rises, falls"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_claim_that_cannot_be_decided_is_refused_in_one_line(name):
    change, words = MISTAKES[name]
    one_problem(claiming({**SIDES, **change}), *words)


@pytest.mark.parametrize("name", TRENDS)
def test_a_trend_that_cannot_be_decided_is_refused_in_one_line(name):
    change, words = TRENDS[name]
    one_problem(claiming({**TREND, **change}), *words)


def test_a_trend_needs_a_sweep():
    config = changed("run.sweep", "null")
    one_problem(claiming(TREND, config=config), "claims.b.along: this study has no run.sweep")


def test_a_trend_needs_two_values():
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"]["values"] = {"eta_dpp": [100]}
    one_problem(claiming(TREND, config=config), "'eta_dpp' 'digits' has one value")


def test_a_trend_of_accuracies_needs_students_at_every_value():
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"]["students"] = []
    found = problems(claiming({**TREND, "measure": "accuracy"}, config=config))
    *lines, hint = found
    assert len(lines) == 3  # all values but the tables' own
    assert "no student 'convnet2' is trained on it under 'digits'" in lines[0]
    assert "or `run.claims: null`" in hint


def test_a_claim_has_one_of_the_two_forms():
    for change in ({"along": "eta_dpp"}, {"against": "dit"}):
        claim = {**(SIDES if "along" in change else TREND), **change}
        one_problem(claiming(claim), "give either 'against' and 'ipc'", "or 'along'")


def test_two_claims_have_two_names():
    one_problem(claiming(SIDES, SIDES), "run.claims: 2 claims are named 'a'; name them apart")


def test_every_measure_is_in_the_readme_of_the_config():
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    section = text.split("| measure | table, column | of |", 1)[1].split("\n\n", 1)[0]
    lines = section.splitlines()
    for measure in MEASURES.values():
        (line,) = (line for line in lines if f"`{measure.name}`" in line.split(" | ", 1)[0])
        assert f"`{measure.table}`" in line
        assert f"`{measure.column}`" in line or measure.column == measure.name
