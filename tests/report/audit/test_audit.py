"""The audit finds nothing in what the tables' makers made, and says what it did and found."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from audits import Invented
from invented import LESS, invented_study
from lighthouse.config.expectations import expectations
from lighthouse.report.audit.checks import CHECKS, LISTED, audit, message, summary
from lighthouse.tables import read_rows, write_rows
from plants import BY_NAME, altered
from repository import LIBRARY, ROOT


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
    # the place of an image on a map, nor the number that is advised.
    assert report["not_compared"] == {
        "tables/cost.csv": ["peak_device_gib", "device"],
        "tables/fid.csv": ["kid"],
        "tables/prior_verdict.csv": ["to"],
        "figures/strategies_map.csv": ["x", "y"],
    }


def test_images_of_small_files_are_counted(report, results):
    assert report["images"]["cells_counted"] == len(results.samples)
    assert report["images"]["cells_not_counted"] == 0


def test_rows_of_failed_methods_are_no_finding(tmp_path):
    lost = Invented(tmp_path, failed=("mgd3", "base-mean"))
    found = audit(lost.read(), lost.grid)
    assert [one["words"] for one in found["findings"]] == []
    assert found["images"]["cells_not_counted"] == 2


def test_a_study_may_lack_ablation_sweep_strategies_and_ceiling(tmp_path):
    little = Invented(tmp_path, more=LESS)
    found = audit(little.read(), little.grid)
    assert [one["words"] for one in found["findings"]] == []
    empty = {check["check"] for check in found["checks"] if not check["comparisons"]}
    assert "every_row" not in empty
    assert {"sensitivity", "ablation_verdicts", "strategies_tests"} <= empty


def test_what_is_expected_is_json():
    grid = expectations(invented_study())
    assert json.loads(json.dumps(grid)) == grid


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
    paths = [str(path) for n in ("tables", "figures") for path in (invented.results / n).iterdir()]
    job = {
        "input": {
            "finished": paths,
            "published": invented.published,
        },
        "output": {"report": str(folder / "audit.json")},
        "params": {
            "cells": invented.cells,
            "images": list(map(str, invented.images)),
            "expected": invented.grid,
        },
        "wildcards": {},
        "threads": 1,
        "log": str(log),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    script = ROOT / "workflow" / "scripts" / "audit.py"
    return subprocess.run(
        [sys.executable, str(script), "--job", str(folder / "job.json")],
        env={"PYTHONPATH": str(LIBRARY)},
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
    bounded = report["bounded"]["tables/diversity.csv"]
    assert {"recall", "nearest_latent", "nearest_feature_min"} <= set(bounded)
    assert "gradients_per_image" not in report["bounded"].get("tables/cost.csv", [])
    assert "top1_mean" not in report["bounded"].get("tables/leaderboard.csv", [])
