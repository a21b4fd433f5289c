"""Jobs that are stopped end in a line of their log, and a run in two lines for its user."""

import logging
import os
import signal
import subprocess
import sys

import pytest

from lighthouse.runtime.stopped import Stopped
from repository import LIBRARY

JOB = """
import time
from lighthouse.runtime.files import whole
from lighthouse.runtime.job import start

job = start(None)
with whole(job.output.result) as beside:
    beside.write_text("half")
    print("at work", flush=True)
    time.sleep(60)
"""


def stopped(folder, *numbers):
    """A job's status and words when it was given signals at work."""
    given = "--log", folder / "log", "--output", f"result={folder / 'result'}"
    job = subprocess.Popen(
        [sys.executable, "-c", JOB, *given],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    assert job.stdout.readline() == "at work\n"
    for number in numbers:
        job.send_signal(number)
    _, words = job.communicate(timeout=20)
    return job.returncode, words


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_job_that_is_stopped_says_so_in_its_log_and_leaves_no_half_file(tmp_path, name, status):
    assert stopped(tmp_path, getattr(signal, name)) == (status, "")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert line.endswith(f" stopped by {name}")


def test_the_runs_signal_behind_that_of_the_terminal_changes_nothing(tmp_path):
    status, words = stopped(tmp_path, signal.SIGINT, signal.SIGTERM)
    # The second may come when Python has taken its handlers back: all is said and done by then.
    assert status in (130, 143, -signal.SIGTERM), words
    assert not words
    assert (tmp_path / "log").read_text().count("stopped by") == 1


@pytest.fixture
def run(monkeypatch):
    """A run that can be stopped, what its Snakemake has logged, and what its user has read."""
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.getsignal(each) for each in names}
    told, logged, logger = [], [], logging.Logger("snakemake")
    monkeypatch.setattr(os, "write", lambda place, words: told.append((place, words.decode())))
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    logger.addHandler(handler)
    yield Stopped(logger), logger, logged, told
    for each, handler in before.items():
        signal.signal(each, handler)


def test_ctrl_c_ends_a_run_and_its_jobs_with_two_lines_and_nothing_behind_them(run):
    stopped, logger, logged, told = run
    logger.info("building")
    job = subprocess.Popen(["sleep", "60"])
    with pytest.raises(SystemExit) as end:
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)  # of a user who will not wait: nothing is interrupted
    logger.error("a job failed")
    assert job.wait(timeout=5) == -signal.SIGTERM
    assert (end.value.code, stopped.status, logged) == (130, 130, ["building"])
    ((place, words),) = told
    assert place == 2
    assert words.strip().splitlines() == [
        "Stopped, and all jobs with it.",
        "The same command goes on where this one ends.",
    ]


def test_sigterm_lets_the_jobs_end_that_run(run, monkeypatch):
    stopped, logger, logged, told = run
    finished = []
    signal.signal(signal.SIGTERM, lambda number, frame: finished.append(number))  # Snakemake's
    stopped.finish_when_told()
    job = subprocess.Popen(["sleep", "0.5"])
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
    logger.info("waits")
    assert job.wait(timeout=5) == 0
    assert (finished, stopped.status, logged) == ([signal.SIGTERM], 143, [])
    assert told[0][1].startswith("\nStopping: the jobs that run are the last.\nThe same command")


def test_a_run_that_is_to_outlive_its_terminal_does(run):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    Stopped(logging.Logger("snakemake"))
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
