"""The command that says what a run's jobs took (``benchmarks.jobs``)."""

import json
import sys

import pytest

from benchmarks import jobs
from benchmarks.jobs import Ran, jobs_of, side_by_side


@pytest.fixture
def run(tmp_path):
    """A function that writes what Snakemake keeps of an output; the folder of the run."""
    folder = tmp_path / ".snakemake" / "metadata"
    (folder / "below").mkdir(parents=True)

    def keep(name, rule, job, began, ended):
        kept = {"rule": rule, "job_hash": job, "starttime": began, "endtime": ended}
        (folder / name).write_text(json.dumps(kept))

    keep("model", "prior", 7, 10.0, 40.0)
    keep("below/cost", "prior", 7, 9.9, 39.5)  # the same job's
    keep("other", "prior", 8, 10.0, 20.0)
    keep("table", "table_cost", 7, 45.0, 46.0)
    keep("later", "prior", 7, 60.0, 62.0)  # of another run, whose hash is the same
    keep("cut", "prior", 9, 61.0, None)
    return tmp_path


FOUND = [
    Ran("prior", 9.9, 40.0),
    Ran("prior", 10.0, 20.0),
    Ran("table_cost", 45.0, 46.0),
    Ran("prior", 60.0, 62.0),
]


def test_the_outputs_of_a_job_are_one_job(run):
    assert jobs_of(run) == FOUND


def test_seconds_are_counted_by_how_many_jobs_ran():
    found = side_by_side(FOUND)
    assert found == pytest.approx({0: 5 + 14, 1: 0.1 + 20 + 1 + 2, 2: 10})
    assert side_by_side([Ran("a", 0, 1), Ran("b", 1, 3)]) == {1: 3, 0: 0}


def test_the_command_prints_rules_by_their_seconds(run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["jobs", str(run)])
    jobs.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[:4] == [
        ["rule", "jobs", "seconds", "longest"],
        ["prior", "3", "42.1", "30.1"],
        ["table_cost", "1", "1.0", "1.0"],
        ["all", "4", "43.1", "30.1"],
    ]
    assert " ".join(rows[-1]) == "2 jobs at a time: 10.0 s"


def test_a_folder_without_a_run_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["jobs", str(tmp_path)])
    with pytest.raises(SystemExit, match="has no jobs"):
        jobs.main()
