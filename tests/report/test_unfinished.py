"""A failed method stops its own rows: the tables are made all the same, and say what is missing."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from snakemake.iocontainers import Namedlist

from lighthouse.report import unfinished
from lighthouse.report.unfinished import remake
from repository import ROOT


class Hashable(SimpleNamespace):
    """Jobs are held in sets."""

    __hash__ = object.__hash__


def job(name, inputs=(), outputs=(), absent=True):
    """A job as Snakemake's graph has it."""
    params = Namedlist(fromdict={"absent": []} if absent else {"other": 1})
    return Hashable(
        rule=SimpleNamespace(name=name, script=f"../scripts/{name}.py"),
        input=Namedlist(fromdict={f"in{i}": str(path) for i, path in enumerate(inputs)}),
        output=Namedlist(fromdict={f"out{i}": str(path) for i, path in enumerate(outputs)}),
        params=params,
        wildcards=Namedlist(),
        log=[],
    )


def graph(*jobs, unfinished=()):
    """Jobs in the order of their files, of which some did not finish."""
    return SimpleNamespace(
        needrun_jobs=lambda: iter(unfinished), toposorted=lambda: [[one] for one in jobs]
    )


@pytest.fixture
def study(tmp_path):
    """A table of two records, one of which failed, and a figure of that table."""

    def make(table_absent=True):
        bad, good, table, picture = (
            tmp_path / name for name in ("bad.json", "good.json", "x.csv", "x.png")
        )
        return (
            job("student", [], [bad]),
            job("table_x", [bad, good], [table], table_absent),
            job("figure_x", [table], [picture], False),
        )

    return make


@pytest.fixture
def by_hand(monkeypatch):
    seen = []

    def run(one, absent):
        seen.append((one.rule.name, [Path(path).name for path in absent]))
        for path in one.output:
            Path(path).write_text("made", encoding="utf-8")
        return True

    monkeypatch.setattr(unfinished, "_run", run)
    return seen


def test_a_table_is_told_what_is_absent_and_what_shows_it_is_made_after_it(study, by_hand):
    jobs = study()
    made, left = remake(graph(*jobs, unfinished=jobs))
    assert by_hand == [("table_x", ["bad.json"]), ("figure_x", [])]
    assert [Path(path).name for path in made] == ["x.csv", "x.png"]
    assert left == []


def test_what_is_made_after_a_failure_looks_old_so_that_the_next_run_makes_it_again(study, by_hand):
    jobs = study()
    made, _ = remake(graph(*jobs, unfinished=jobs))
    assert {Path(path).stat().st_mtime for path in made} == {1}


def test_a_rule_that_cannot_do_without_an_input_is_left_and_named(study, by_hand):
    jobs = study(table_absent=False)
    made, left = remake(graph(*jobs, unfinished=jobs))
    assert (by_hand, made) == ([], [])
    assert [Path(path).name for path in left] == ["x.csv", "x.png"]


def test_a_table_that_failed_by_itself_is_not_tried_again(study, by_hand):
    jobs = study()
    made, left = remake(graph(*jobs, unfinished=jobs[1:]))
    assert (by_hand, made) == ([], [])
    assert len(left) == 2


def test_what_finished_is_left_alone(study, by_hand):
    jobs = study()
    assert remake(graph(*jobs, unfinished=jobs[:1])) == ([], [])


def test_a_script_is_given_its_job_as_a_file(tmp_path, monkeypatch):
    given = []

    def run(words, env, **_):
        given.append((Path(words[1]).name, json.loads(Path(words[3]).read_text("utf-8"))))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    one = job("table_x", ["a.json"], [tmp_path / "x.csv"])
    assert unfinished._run(one, ["a.json"])
    ((script, described),) = given
    assert script == "table_x.py"
    assert described["input"] == {"in0": "a.json"}
    assert described["params"]["absent"] == ["a.json"]


# The same through Snakemake.

STUDY = """
run:
  methods: [random]
  ipc: [1]
  only: []
  seeds: [0, 1]
  student_seeds: [0]
  ceiling: false
  comparisons: {base: random, pairs: []}
  ablation: null
  sweep: null
  lighthouse: null
  spectrum: {ipc: 1, curves: [{source: real, method: random}]}
external:
  theirs: {dataset: digits, root: ROOT, ipc: 1, label: Theirs}
"""


def snakemake(folder):
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "2", "--keep-going", "--quiet", "all"),
            *("--directory", str(folder), "--configfile", "tests/configs/tiny.yaml"),
            *(str(folder / "study.yaml"), "--", "tables"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def board(folder):
    """Status and accuracy by method."""
    with (folder / "results/tables/leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return {row["method"]: (row["status"], row["top1_mean"]) for row in csv.DictReader(file)}


@pytest.mark.workflow
def test_a_set_that_cannot_be_read_stops_its_own_row_and_no_old_figure_stays(tmp_path):
    root = tmp_path / "theirs"
    for digit in range(10):
        (root / str(digit)).mkdir(parents=True)
        Image.new("RGB", (32, 32), (25 * digit, 0, 0)).save(root / str(digit) / "a.png")
    (tmp_path / "study.yaml").write_text(STUDY.replace("ROOT", str(root)), encoding="utf-8")

    done = snakemake(tmp_path)
    assert done.returncode == 0, done.stdout
    first = board(tmp_path)
    assert [first[name][0] for name in ("random", "theirs")] == ["measured", "measured"]

    whole = (root / "3" / "a.png").read_bytes()
    (root / "3" / "a.png").write_bytes(whole[:40])
    done = snakemake(tmp_path)
    assert done.returncode != 0
    assert "rows that are not say 'missing'" in done.stdout
    second = board(tmp_path)
    assert second["theirs"] == ("missing", "")
    assert second["random"] == first["random"]
    page = (tmp_path / "results/tables/leaderboard.html").read_text(encoding="utf-8")
    assert "missing" in page
    for name in ("accuracy", "diversity", "fid"):
        text = (tmp_path / f"results/tables/{name}.csv").read_text(encoding="utf-8")
        assert [line for line in text.splitlines() if ",theirs," in line and "missing" in line]

    (root / "3" / "a.png").write_bytes(whole)
    done = snakemake(tmp_path)
    assert done.returncode == 0, done.stdout
    assert board(tmp_path) == first
