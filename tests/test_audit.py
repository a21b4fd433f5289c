"""The audit finds nothing in what the tables' makers made, and each wrong number planted there."""

import copy
import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest

from audits import LESS, Invented, invented_study
from lighthouse.config.expectations import expectations
from lighthouse.report.audit.checks import CHECKS, LISTED, audit, finding, message, summary
from lighthouse.report.tables import read_rows, write_rows
from shipped import BASE

BY_NAME = {check.__name__: check for check in CHECKS}


@pytest.fixture(scope="module")
def invented(tmp_path_factory):
    return Invented(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def results(invented):
    return invented.read()


@pytest.fixture(scope="module")
def report(invented, results):
    return audit(results, invented.grid)


def test_nothing_is_off_in_what_the_makers_made(report):
    assert report["findings"] == []


def test_every_check_compares_something(report):
    assert [check["check"] for check in report["checks"] if not check["comparisons"]] == []
    assert [check["check"] for check in report["checks"]] == list(BY_NAME)


def test_what_is_not_compared_is_told_and_is_nothing_that_could_be(report):
    # The device is the machine's; a kernel distance has no bounds and no other source, nor has
    # the place of an image on a map.
    assert report["not_compared"] == {
        "tables/cost.csv": ["peak_device_gib", "device"],
        "tables/fid.csv": ["kid"],
        "figures/lighthouse_map.csv": ["panel", "kind", "x", "y"],
    }


def test_images_of_small_files_are_counted(report, results):
    assert report["images"]["cells_counted"] == len(results.samples)
    assert report["images"]["cells_not_counted"] == 0


def test_rows_of_failed_methods_are_no_finding(tmp_path):
    lost = Invented(tmp_path, failed=("mgd3", "base-mean"))
    found = audit(lost.read(), lost.grid)
    assert [one["words"] for one in found["findings"]] == []
    assert found["images"]["cells_not_counted"] == 2


def test_a_study_may_lack_ablation_sweep_lighthouse_and_ceiling(tmp_path):
    little = Invented(tmp_path, more=LESS)
    found = audit(little.read(), little.grid)
    assert [one["words"] for one in found["findings"]] == []
    empty = {check["check"] for check in found["checks"] if not check["comparisons"]}
    assert "every_row" not in empty
    assert {"sensitivity", "ablation_verdicts", "lighthouse_tests"} <= empty


def test_what_is_expected_is_json():
    grid = expectations(invented_study())
    assert json.loads(json.dumps(grid)) == grid


# One wrong number after the other: the check that sees it, the table, the row, the column, and
# what is put there. Then, where the finding is not the planted field with its old value: the
# column, and words of what was expected.

RSM = {"method": "rsm-cgs", "ipc": 2}
DIT = {"method": "dit", "ipc": 2}
THEIRS = {"method": "theirs", "ipc": 2}
TABLES = {
    name: f"tables/{name}.csv"
    for name in (
        *("leaderboard", "accuracy", "runs", "significance", "ablation", "cost", "diversity"),
        *("fid", "guidance", "spectrum", "spectrum_ranks", "lighthouse"),
    )
}
JOINT = {"strategy": "joint", "seed": 1}
TEST = {"measure": "log_det", "comparison": "joint - sequential"}
WRONG_FIELDS = [
    ("what_is_run", "leaderboard", RSM, "label", "RSM"),
    *(
        ("accuracy_of_runs", "accuracy", RSM, column, by)
        for column, by in {
            "top1_last_mean": 0.001,
            "top1_last_std": 0.001,
            "std_sets": 0.5,
            "std_students": 0.001,
            "top1_best_mean": 0.001,
            "n_seeds": 1,
            "n_students": 1,
            "status": "missing",
        }.items()
    ),
    *(
        ("leaderboard_of_runs", "leaderboard", DIT, column, by)
        for column, by in {
            "top1_mean": 0.001,
            "top1_std": 0.001,
            "std_sets": 0.5,
            "std_students": 0.001,
            "top1_best_mean": 0.001,
            "n_seeds": 1,
            "n_students": 1,
            "status": "missing",
        }.items()
    ),
    *(
        ("ablation_of_runs", "ablation", RSM, column, by)
        for column, by in {
            "n_seeds": 1,
            "n_students": 1,
            "top1_mean": 0.001,
            "top1_std": 0.001,
            "status": "missing",
        }.items()
    ),
    ("numbers_of_images", "fid", RSM, "n_synthetic_per_set", 1),
    ("distances_of_sets", "fid", RSM, "n_real", 1),
    ("distinct_images", "fid", {"method": "herding"}, "n_sets", 1),
    ("distinct_images", "fid", THEIRS, "n_synthetic", 1),
    ("cost_of_sets", "cost", RSM, "classes", 1),
    ("cost_of_sets", "cost", RSM, "base_seconds", 0.01),
    ("work_of_images", "cost", {"method": "random"}, "evaluations_per_image", 1),
    ("work_of_images", "cost", {"method": "random"}, "gradients_per_image", 1),
    ("work_of_images", "cost", {"method": "random"}, "computed_per_image", 1),
    *(
        ("paired_tests", "significance", {**RSM, "against": "dit"}, column, 0.01)
        for column in ("n_pairs", "difference", "std_difference", "ci_low", "ci_high", "p")
    ),
    ("corrected_verdicts", "significance", {**RSM, "against": "dit"}, "p_holm", -0.01),
    ("corrected_verdicts", "significance", {**RSM, "against": "dit"}, "verdict", "tie"),
    ("leaderboard_verdicts", "leaderboard", RSM, "difference", 0.01),
    ("leaderboard_verdicts", "leaderboard", RSM, "p_holm", 0.01),
    ("leaderboard_verdicts", "leaderboard", RSM, "verdict", "tie"),
    ("leaderboard_verdicts", "leaderboard", DIT, "verdict", "tie"),
    ("ablation_verdicts", "ablation", RSM, "difference", 0.01),
    ("ablation_verdicts", "ablation", RSM, "p_holm", -0.01),
    ("ablation_verdicts", "ablation", RSM, "verdict", "tie"),
    ("ablation_verdicts", "ablation", RSM, "dpp", "no"),
    ("ablation_verdicts", "ablation", DIT, "verdict", "base"),
    *(
        ("measures_of_sets", table, RSM, column, 0.001)
        for table in ("leaderboard", "ablation")
        for column in ("coverage", "precision", "recall", "density", "log_det", "ssim")
    ),
    ("distances_and_cost", "leaderboard", RSM, "fid", 0.01),
    ("distances_and_cost", "leaderboard", RSM, "kid", 0.01),
    ("distances_and_cost", "leaderboard", RSM, "extractor", "another"),
    ("distances_and_cost", "leaderboard", RSM, "seconds_per_image", 0.01),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published", 1.0),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published_std", 1.0),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published_source", "B"),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published_protocol", "B"),
    ("given_weights", "guidance", {"method": "dit-igd"}, "k_influence", 1.0),
    ("given_weights", "guidance", {"method": "dit-igd"}, "gamma_deviation", 1.0),
    ("given_weights", "guidance", {"method": "mgd3"}, "mode_scale", 1.0),
    *(
        ("applied_weights", "guidance", RSM, column, 0.01)
        for column in ("eta_dpp_applied", "eta_share", "mu_dm_applied", "mean_pull")
    ),
    ("applied_weights", "guidance", {"method": "dit-igd"}, "gamma_deviation_applied", 0.1),
    ("singular_values", "spectrum", {"source": "RSM", "seed": 1, "index": 3}, "normalised", 0.01),
    *(
        ("ranks", "spectrum_ranks", {"source": "RSM", "seed": 1}, column, by)
        for column, by in {
            "n": 1,
            "effective_rank": 0.01,
            "stable_rank": 0.01,
            "energy_left_10": 0.01,
            "energy_left_30": 0.01,
        }.items()
    ),
    *(
        ("lighthouse_tests", "lighthouse", TEST, column, by)
        for column, by in {
            "n": 1,
            "difference": 0.01,
            "std": 0.01,
            "ci_low": 0.01,
            "ci_high": 0.01,
            "p": 0.01,
            "holds": "maybe",
        }.items()
    ),
    *(
        ("spectrum_figure", "figures/spectrum.csv", {"source": "RSM", "index": 2}, column, by)
        for column, by in {"mean": 0.001, "std": 0.001, "n_seeds": 1}.items()
    ),
    ("lighthouse_points", "figures/lighthouse.csv", JOINT, "log_det", 0.001),
    ("lighthouse_points", "figures/lighthouse.csv", JOINT, "coverage", 0.001),
    ("lighthouse_volumes", "figures/lighthouse.csv", JOINT, "log_det", 0.001),
    *(
        ("cost_in_all", "figures/accuracy_vs_cost.csv", RSM, column, by)
        for column, by in {
            "seconds_in_all": 0.01,
            "seconds_per_image": 0.01,
            "top1_mean": 0.01,
            "top1_std": 0.01,
            "label": "RSM",
        }.items()
    ),
    *(
        ("accuracy_vs_ipc", "figures/accuracy_vs_ipc.csv", RSM, column, by)
        for column, by in {
            "top1_mean": 0.01,
            "top1_std": 0.01,
            "n_seeds": 1,
            "n_students": 1,
            "label": "RSM",
        }.items()
    ),
    *(
        ("sensitivity", "figures/sensitivity.csv", {"factor": "mu_dm", "value": 0}, column, by)
        for column, by in {
            "n_seeds": 1,
            "n_students": 1,
            "top1_last_mean": 0.01,
            "top1_last_std": 0.01,
            "coverage_mean": 0.001,
            "coverage_std": 0.001,
            "at_table": "True",
            "status": "missing",
        }.items()
    ),
    *(
        ("ssim_curve", "figures/ssim_vs_eta_dpp.csv", {"eta_dpp": 0}, column, by)
        for column, by in {"mean": 0.001, "std": 0.001, "n_seeds": 1}.items()
    ),
]


def altered(results, table, where, column, change):
    """Results with one field of one row changed, by a number or to a word; and what was there."""
    rows = copy.deepcopy(results.tables[table])
    row = next(row for row in rows if where.items() <= row.items())
    before = row[column]
    row[column] = change if isinstance(change, str) else before + change
    return replace(results, tables={**results.tables, table: rows}), before, row[column]


def findings(check, results, grid):
    return [finding(claim) for claim in BY_NAME[check](results, grid) if not claim.holds]


def is_close(found, value):
    if isinstance(value, str) or value is None:
        return found == value
    return found == pytest.approx(value, rel=1e-4)


def id_of(plant):
    check, table, _, column, *_ = plant
    return f"{check}-{table.removeprefix('figures/').removesuffix('.csv')}-{column}"


@pytest.mark.parametrize("plant", WRONG_FIELDS, ids=id_of)
def test_a_wrong_field_is_found_with_its_row_and_both_values(plant, results, invented):
    check, name, where, column, change = plant
    table = TABLES.get(name, name)
    changed, before, now = altered(results, table, where, column, change)
    (found, *_) = [
        one
        for one in findings(check, changed, invented.grid)
        if (one["table"], one["column"]) == (table, column) and is_close(one["found"], now)
    ]
    assert is_close(found["expected"], before)
    for key, value in where.items():
        assert f"{key} {value}" in found["row"]
    assert found["words"].startswith(f"{table}, {found['row']}: {column} is ")


BOUNDS = [
    ("diversity", RSM, "coverage", 1.01, "0 to 1"),
    ("diversity", RSM, "precision", -0.01, "0 to 1"),
    ("diversity", RSM, "recall", 1.01, "0 to 1"),
    ("diversity", RSM, "density", -0.01, "at least 0"),
    ("diversity", RSM, "ssim", 1.01, "-1 to 1"),
    ("runs", RSM, "top1_last", 100.5, "0 to 100"),
    ("runs", RSM, "top1_best", -1.0, "0 to 100"),
    ("leaderboard", RSM, "top1_std", -0.1, "at least 0"),
    ("ablation", RSM, "p_holm", 1.5, "0 to 1"),
    ("significance", RSM, "p", -0.5, "0 to 1"),
    ("significance", RSM, "std_difference", -0.5, "at least 0"),
    ("fid", RSM, "fid", -1.0, "at least -0.001"),
    ("fid", RSM, "kid_std", -1.0, "at least 0"),
    ("cost", RSM, "seconds_per_image", -1.0, "at least 0"),
    ("spectrum_ranks", {"source": "RSM"}, "effective_rank", 0.5, "at least 1"),
    ("figures/ssim_vs_eta_dpp.csv", {"eta_dpp": 0}, "mean", 1.5, "-1 to 1"),
    ("figures/spectrum.csv", {"source": "RSM"}, "mean", 1.5, "0 to 1"),
]


@pytest.mark.parametrize("plant", BOUNDS, ids=lambda plant: f"{plant[0]}-{plant[2]}")
def test_a_number_out_of_its_bounds_is_found(plant, results, invented):
    name, where, column, value, bounds = plant
    table = TABLES.get(name, name)
    before = next(r for r in results.tables[table] if where.items() <= r.items())[column]
    changed, *_ = altered(results, table, where, column, value - before)
    (found,) = findings("within_bounds", changed, invented.grid)
    assert (found["table"], found["column"], found["expected"]) == (table, column, bounds)
    assert found["found"] == pytest.approx(value)
    for key, given in where.items():
        assert f"{key} {given}" in found["row"]


OTHERS = [
    ("what_is_run", "leaderboard", RSM, "status", "not run", "measured or missing"),
    ("what_is_run", "leaderboard", {"method": "dit-igd", "ipc": 2}, "status", "missing", "not run"),
    ("known_words", "runs", RSM, "status", "done", "measured or missing or not run"),
    ("known_words", "accuracy", RSM, "best_chosen_on", "test", "val"),
    (
        "volumes",
        "diversity",
        RSM,
        "log_det",
        9.0,
        f"{math.log(1e-3) + math.log(2.001):g} to 0.001999",
    ),
    ("pairs_of_images", "diversity", RSM, "n_pairs", 1, 1),
    ("numbers_of_images", "fid", RSM, "n_sets", 1, "1 to 2"),
    ("numbers_of_images", "fid", RSM, "n_synthetic", 1, "1 to 40"),
    ("distances_of_sets", "fid", {"method": "herding"}, "fid_pooled", 0.1, None),
    ("distances_of_sets", "fid", RSM, "kid_subset_size", 99, "1 to 20"),
    ("cost_of_sets", "cost", RSM, "images", 3, 0),
    ("work_of_images", "cost", RSM, "evaluations_per_image", -99.0, 6),
    ("work_of_images", "cost", RSM, "gradients_per_image", -99.0, 0),
    ("singular_values", "spectrum", {"source": "RSM", "index": 2}, "singular_value", 99.0, None),
]


@pytest.mark.parametrize("plant", OTHERS, ids=lambda plant: f"{plant[0]}-{plant[3]}")
def test_a_number_that_others_rule_out_is_found(plant, results, invented):
    check, name, where, column, change, expected = plant
    table = TABLES.get(name, name)
    changed, _, now = altered(results, table, where, column, change)
    found = findings(check, changed, invented.grid)[0]
    assert (found["table"], found["column"]) == (table, column)
    if column != "images":  # of which the rest by the number of classes is told
        assert is_close(found["found"], now)
    if expected is not None:
        assert found["expected"] == expected
    assert f"method {where['method']}" in found["row"] if "method" in where else True


def without(results, table, where):
    rows = [row for row in results.tables[table] if not where.items() <= row.items()]
    assert len(rows) < len(results.tables[table])
    return replace(results, tables={**results.tables, table: rows})


def with_row(results, table, where, **changes):
    """Results in which one row stands once more, with other words in it."""
    rows = results.tables[table]
    row = next(row for row in rows if where.items() <= row.items())
    return replace(results, tables={**results.tables, table: [*rows, {**row, **changes}]})


ROWS = {
    "leaderboard": {"method": "dit-igd", "ipc": 2},
    "accuracy": RSM,
    "significance": {**RSM, "against": "rsm-greedy"},
    "ablation": RSM,
    "cost": RSM,
    "fid": RSM,
    "diversity": {**RSM, "seed": 1},
    "guidance": RSM,
    "spectrum": {"source": "RSM", "seed": 1, "index": 5},
    "spectrum_ranks": {"source": "RSM", "seed": 1},
    "lighthouse": TEST,
    "runs": {**RSM, "seed": 1, "student_seed": 0},
    "figures/lighthouse.csv": JOINT,
    "figures/spectrum.csv": {"source": "RSM", "index": 5},
    "figures/accuracy_vs_ipc.csv": RSM,
    "figures/accuracy_vs_cost.csv": RSM,
    "figures/sensitivity.csv": {"factor": "mu_dm", "value": 0},
    "figures/ssim_vs_eta_dpp.csv": {"eta_dpp": 0},
}
#: The check that counts the rows of a table, where it is not that of all tables.
COUNTED_BY = {
    "runs": "every_training",
    "figures/lighthouse.csv": "lighthouse_points",
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


def test_a_ceiling_with_a_training_too_few_is_found(results, invented):
    changed = without(results, "tables/runs.csv", {"method": "full", "student_seed": 1})
    found = findings("every_training", changed, invented.grid)
    assert [(one["found"], one["expected"]) for one in found] == [(0, 1)]
    assert "method full, ipc all" in found[0]["row"]


def test_a_student_too_many_of_a_sweep_is_found(results, invented):
    swept = {**RSM, "eta_dpp": 0}
    changed = with_row(results, "tables/runs.csv", swept, student_seed=1)
    found = findings("every_training", changed, invented.grid)
    assert [(one["found"], one["expected"]) for one in found] == [(1, 0)]
    assert "student_seed 1" in found[0]["row"]


def test_a_map_that_lights_other_images_than_the_sets_cover_is_found(results, invented):
    table = "figures/lighthouse_map.csv"
    rows = [{**row, "lit_by": ""} for row in results.tables[table]]
    changed = replace(results, tables={**results.tables, table: rows})
    found = findings("lighthouse_map", changed, invented.grid)
    assert {(one["column"], one["found"]) for one in found} == {("lit_by", 0.0)}
    assert all("dataset digits, class 3, strategy" in one["row"] for one in found)
    (dropped,) = findings(
        "lighthouse_map", without(results, table, {"kind": "joint", "index": 1}), invented.grid
    )
    assert (dropped["column"], dropped["found"], dropped["expected"]) == ("rows", 1, 2)


def test_a_kernel_deviation_of_one_set_is_found(results, invented):
    changed, *_ = altered(results, TABLES["fid"], {"method": "herding"}, "kid_std", "0.1")
    (found,) = findings("distances_of_sets", changed, invented.grid)
    assert (found["column"], found["found"], found["expected"]) == ("kid_std", "0.1", None)


def test_a_cell_of_other_classes_is_found(results, invented):
    grid = {**invented.grid, "classes": {"digits": 9}}
    found = findings("distinct_images", results, grid)
    assert (found[0]["found"], found[0]["expected"]) == (9, 10)


# What the user sees.


def test_a_message_lists_some_findings_and_counts_the_rest(results, invented):
    rows = [{**row, "top1_last_mean": 1.0} for row in results.tables["tables/accuracy.csv"]]
    changed = replace(results, tables={**results.tables, "tables/accuracy.csv": rows})
    report = audit(changed, invented.grid)
    off = len(report["findings"])
    head, *lines = message(report, "a.log").splitlines()
    assert off > LISTED
    assert head == summary(report)
    assert head.startswith(f"audit: {len(CHECKS)} checks, ") and head.endswith(f", {off} off")
    assert len(lines) == LISTED + 2
    assert lines[-2:] == [f"  - and {off - LISTED} more", "All of them are in a.log."]


def run_rule(invented, folder, log):
    """The rule's script, as it runs after a failure or by hand."""
    kept = ("tables", "figures", "metrics/lighthouse")
    paths = [str(path) for name in kept for path in (invented.results / name).iterdir()]
    job = {
        "input": {
            "finished": paths,
            "published": invented.published,
            "images": list(map(str, invented.images)),
        },
        "output": {"report": str(folder / "audit.json")},
        "params": {"cells": invented.cells, "expected": invented.grid},
        "wildcards": {},
        "threads": 1,
        "log": str(log),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    script = BASE / "workflow" / "scripts" / "audit.py"
    return subprocess.run(
        [sys.executable, str(script), "--job", str(folder / "job.json")],
        env={"PYTHONPATH": str(BASE / "workflow" / "lib")},
        capture_output=True,
        text=True,
    )


def test_the_rule_writes_what_it_checked_and_says_so_in_one_line(invented, tmp_path):
    done = run_rule(invented, tmp_path, tmp_path / "a.log")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert report["findings"] == []
    (line,) = done.stderr.splitlines()
    assert (
        f"audit: {len(CHECKS)} checks, {report['comparisons']:,} comparisons, nothing off" in line
    )


def test_the_rule_fails_with_one_message_and_leaves_all_findings_in_its_log(tmp_path):
    invented = Invented(tmp_path)
    path = invented.results / "tables" / "accuracy.csv"
    rows = read_rows(path)
    write_rows(path, [{**row, "top1_last_mean": 1.0} for row in rows])
    done = run_rule(invented, tmp_path, tmp_path / "a.log")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.count("tables/accuracy.csv, dataset digits") == LISTED
    text = (tmp_path / "a.log").read_text(encoding="utf-8")
    report = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert len(report["findings"]) > LISTED
    assert all(found["words"] in text for found in report["findings"])
    words = report["findings"][0]["words"]
    assert "top1_last_mean is 1, not " in words


def test_what_a_check_cannot_reckon_with_is_told_beside_all_else(results, invented):
    odd, *_ = altered(results, "tables/fid.csv", {"method": "rsm"}, "dataset", "digitsx")
    odd, *_ = altered(odd, "tables/leaderboard.csv", {"method": "rsm"}, "top1_mean", 1.0)
    words = [found["words"] for found in audit(odd, invented.grid)["findings"]]
    assert any("not made: KeyError 'digitsx'" in line for line in words)
    assert any("tables/leaderboard.csv" in line and "top1_mean" in line for line in words)


def test_columns_of_which_only_bounds_are_known_are_told(report):
    assert "recall" in report["bounded"]["tables/diversity.csv"]
    assert "gradients_per_image" not in report["bounded"].get("tables/cost.csv", [])
    assert "top1_mean" not in report["bounded"].get("tables/leaderboard.csv", [])
