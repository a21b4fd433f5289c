"""Rows that are missing, twice, or of another study are found in every table."""

from dataclasses import replace

import pytest

from plants import BY_NAME, JOINT, RSM, TABLES, TEST, TUNED, findings, with_row, without

NAN = float("nan")
ROWS = {
    "leaderboard": {"method": "dit-igd", "ipc": 2},
    "accuracy": RSM,
    "significance": {**RSM, "against": "rsm-greedy"},
    "recommendation": RSM,
    "ablation": RSM,
    "cost": RSM,
    "fid": RSM,
    "diversity": {**RSM, "seed": 1},
    "guidance": RSM,
    "autoencoders": {"dataset": "digits"},
    "tuning": {**TUNED, "variant": "tuning~1"},
    "spectrum": {"source": "RSM", "seed": 1, "index": 5},
    "spectrum_ranks": {"source": "RSM", "seed": 1},
    "strategies": TEST,
    "strategies_classes": {**JOINT, "class": "3"},
    "runs": {**RSM, "seed": 1, "student_seed": 0},
    "figures/strategies.csv": JOINT,
    "figures/spectrum.csv": {"source": "RSM", "index": 5},
    "figures/accuracy_vs_ipc.csv": RSM,
    "figures/accuracy_vs_cost.csv": RSM,
    "figures/sensitivity.csv": {"factor": "mu_dm", "value": 0},
    "figures/ssim_vs_eta_dpp.csv": {"eta_dpp": 0},
}
#: The check that counts the rows of a table, where it is not that of all tables.
COUNTED_BY = {
    "runs": "every_training",
    "figures/strategies.csv": "strategies_points",
    "figures/spectrum.csv": "spectrum_figure",
    "figures/accuracy_vs_ipc.csv": "accuracy_vs_ipc",
    "figures/accuracy_vs_cost.csv": "points_of_cost",
    "figures/sensitivity.csv": "sensitivity",
    "figures/ssim_vs_eta_dpp.csv": "ssim_curve",
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_is_not_there_is_found(name, results, invented):
    table, where = TABLES.get(name, name), ROWS[name]
    changed = without(results, table, where)
    found = findings(COUNTED_BY.get(name, "every_row"), changed, invented.grid)
    told = [one for one in found if one["column"] == "rows"]
    assert told
    assert all((one["found"], one["expected"]) == (0, 1) for one in told)
    assert all(f"{key} {value}" in told[0]["row"] for key, value in where.items())


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_does_not_belong_is_found(name, results, invented):
    table, where = TABLES.get(name, name), ROWS[name]
    changed = with_row(results, table, where, dataset="another")
    found = findings(COUNTED_BY.get(name, "every_row"), changed, invented.grid)
    told = [one for one in found if one["column"] == "rows"]
    assert [(one["table"], one["found"], one["expected"]) for one in told] == [(table, 1, 0)]
    assert "dataset another" in told[0]["row"]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_is_there_twice_is_found(name, results, invented):
    table, where = TABLES.get(name, name), ROWS[name]
    changed = with_row(results, table, where)
    found = findings(COUNTED_BY.get(name, "every_row"), changed, invented.grid)
    assert (table, 2, 1) in [(one["table"], one["found"], one["expected"]) for one in found]


@pytest.mark.parametrize("name", ["full", "reconstructed"])
def test_a_ceiling_with_a_training_too_few_is_found(name, results, invented):
    changed = without(results, "tables/runs.csv", {"method": name, "student_seed": 1})
    found = findings("every_training", changed, invented.grid)
    assert [(one["found"], one["expected"]) for one in found] == [(0, 1)]
    assert f"method {name}, ipc all" in found[0]["row"]


def test_a_class_that_no_set_of_the_strategies_has_is_found(results, invented):
    changed = without(results, TABLES["strategies_classes"], {"class": "3"})
    found = findings("strategies_points", changed, invented.grid)
    counts = [one for one in found if one["column"] == "classes behind it"]
    assert len(counts) == len(results.tables["figures/strategies.csv"])
    assert {(one["found"], one["expected"]) for one in counts} == {(9, 10)}


def test_a_strategies_that_failed_is_one_missing_row_of_each_table(results, invented):
    lost = dict(results.tables)
    for name in ("strategies", "strategies_classes"):
        empty = dict.fromkeys(lost[TABLES[name]][0], NAN)
        lost[TABLES[name]] = [{**empty, "dataset": "digits", "status": "missing"}]
    lost |= {f"figures/{name}.csv": [] for name in ("strategies", "strategies_map")}
    changed = replace(results, tables=lost)
    for check in ("every_row", *(name for name in BY_NAME if name.startswith("strategies"))):
        assert findings(check, changed, invented.grid) == []


def test_a_student_too_many_of_a_sweep_is_found(results, invented):
    swept = {**RSM, "variant": "eta_dpp~0"}
    changed = with_row(results, "tables/runs.csv", swept, student_seed=1)
    found = findings("every_training", changed, invented.grid)
    assert [(one["found"], one["expected"]) for one in found] == [(1, 0)]
    assert "student_seed 1" in found[0]["row"]


def test_a_map_that_lights_other_images_than_the_sets_cover_is_found(results, invented):
    table = "figures/strategies_map.csv"
    rows = [{**row, "lit_by": ""} for row in results.tables[table]]
    changed = replace(results, tables={**results.tables, table: rows})
    found = findings("strategies_map", changed, invented.grid)
    assert {(one["column"], one["found"]) for one in found} == {("lit_by", 0.0)}
    strategies = ("sequential", "joint", "mgd3")
    assert [one["row"].split("strategy ")[1] for one in found] == list(strategies)
    (dropped,) = findings(
        "strategies_map", without(results, table, {"kind": "joint", "index": 1}), invented.grid
    )
    assert (dropped["column"], dropped["found"], dropped["expected"]) == ("rows", 1, 2)


def test_a_map_without_a_strategys_set_is_found(results, invented):
    lost = without(results, "figures/strategies_map.csv", {"kind": "mgd3"})
    kinds, count = findings("strategies_map", lost, invented.grid)
    assert (kinds["found"], kinds["expected"]) == (
        "real+sequential+joint",
        "real+sequential+joint+mgd3",
    )
    assert (count["column"], count["found"]) == ("rows", 0)
