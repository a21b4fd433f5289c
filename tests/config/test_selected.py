"""Methods that keep some of the images that they sample, wherever the grid speaks of methods."""

import copy

import pytest

from lighthouse.config import rows
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from lighthouse.config.origins import method_looks
from lighthouse.parts.selections import SELECTIONS
from lighthouse.report.looks import family
from lighthouse.runtime.named import load
from repository import ROOT
from shipped import SHIPPED, one_problem, table


@pytest.fixture(scope="module")
def study():
    """The shipped one, with a row of them in its ablation, and each at all IPCs."""
    ablation = {"ipc": 5, "methods": ["base-subgroup", "dit", "rsm"], "students": ["convnet2"]}
    only = [{"methods": ["dit-igd"], "ipc": [1]}]
    given = copy.deepcopy(SHIPPED)
    given["run"] |= {"ablation": ablation, "only": only}
    return load_study(given, ROOT)


@pytest.mark.parametrize("name", SELECTIONS)
def test_what_is_declared_is_there(name):
    selection = SELECTIONS[name]
    assert callable(load(selection.choose))
    assert selection.options.keys() >= {selection.times}
    assert selection.looks
    assert SHIPPED["selections"][name] == selection.defaults


def test_options_that_are_left_out_are_the_declared_ones():
    given = copy.deepcopy(SHIPPED)
    given["selections"] = {"subgroup": {"groups": 7}}
    found = load_study(given, ROOT).config["selections"]
    assert found["subgroup"] == {"groups": 7, "nearness": 0.4, "spread": 0.9, "rounds": 5}
    assert found["support"] == {"factor": 4}


def test_a_set_that_is_selected_is_part_of_no_larger_one_and_shows_no_prior(study):
    cell = Cell("digits", "base-subgroup", 1)
    assert study.source(cell) == cell
    assert study.source(Cell("digits", "dit", 1)) == Cell("digits", "dit", 10)
    assert study.unguided == "dit"
    shown = {row["prior"]: row["sampled"] for row in rows.prior_rows(study)}
    assert shown["base"]["method"] == "dit"


def test_the_ablation_tells_selections_apart_and_compares_with_a_row_without(study):
    found = {row["method"]: row for row in rows.ablation_specs(study)}
    assert found["base-subgroup"]["factors"] == {"rsm": "no", "selected_by_subgroup": "yes"}
    assert found["rsm"]["factors"] == {"rsm": "yes", "selected_by_subgroup": "no"}
    assert [name for name, row in found.items() if row["plain"]] == ["dit"]


def test_the_audit_expects_the_passes_of_all_that_are_sampled(study):
    sampled = {cell["method"]: cell["sampled"] for cell in expectations(study)["sampled"]}
    times = {"dit": 1, "rsm-cgs": 1, "base-subgroup": 5, "base-support-chosen": 4}
    assert sampled.items() >= times.items()


def test_figures_show_whose_selection_it_is(study):
    found = {method["name"]: family(method) for method in method_looks(study)}
    assert found["dit"] == "base prior"
    assert found["base-support-chosen"] == "support points (ours)"
    assert found["base-subgroup"] == "methods of others"


def test_the_strategies_pool_is_of_images_as_they_come(tmp_path):
    row = "rsm-chosen\t\trsm\tiid\t\tChosen\t\t\tsubgroup"
    given = table(tmp_path, "methods", lambda lines: [*lines, row])
    given["run"]["methods"] += ["rsm-chosen"]
    given["run"]["strategies"]["iid"] = "rsm-chosen"
    one_problem(given, "run.strategies.iid: 'rsm-chosen' keeps some of the images that it samples")


def test_strategies_that_are_compared_are_selected_alike(tmp_path):
    row = "rsm-cgs-chosen\t\trsm\tjoint\tdpp+mean\tChosen\t\t\tsubgroup"
    given = table(tmp_path, "methods", lambda lines: [*lines, row])
    given["run"]["methods"] += ["rsm-cgs-chosen"]
    given["run"]["strategies"]["joint"] = "rsm-cgs-chosen"
    one_problem(given, "'rsm-cgs-chosen' and 'rsm-greedy' differ in more than their coupling")
