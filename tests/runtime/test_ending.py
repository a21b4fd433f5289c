"""A job that has done its work ends at once, and any other as Python ends it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from repository import LIBRARY

JOB = """
import atexit, os, signal, sys
from types import SimpleNamespace
from lighthouse.runtime.job import start

class Kept:
    def __del__(self):
        print("taken apart")

snakemake = SimpleNamespace(
    input={{}}, output={{}}, params=SimpleNamespace(), wildcards={{}}, threads=1, log=[{log!r}],
    resources={{}},
)
job = start({asked})
kept = Kept()
atexit.register(print, "a library's last word")
print("at work")
{body}
"""

DONE = "job.done('made')"
#: A file that takes nothing.
FULL = Path("/dev/full")


def ended(folder, body, asked="snakemake", stdout=subprocess.PIPE):
    """How a job of Snakemake's, or one by hand, ended."""
    job = JOB.format(log=str(folder / "log"), asked=asked, body=body)
    return subprocess.run(
        [sys.executable, "-c", job],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_job_that_is_done_ends_with_all_that_was_said_and_takes_nothing_apart(tmp_path):
    job = ended(tmp_path, DONE)
    assert job.returncode == 0
    assert job.stdout.splitlines() == ["at work", "a library's last word"]
    assert " made (" in job.stderr
    assert " made (" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 0),  # it never said that it was done
        ("1 / 0", 1),
        (f"{DONE}; 1 / 0", 1),
        (f"{DONE}; os.kill(os.getpid(), signal.SIGTERM)", 128 + signal.SIGTERM),
    ],
)
def test_any_other_end_is_pythons(tmp_path, body, status):
    job = ended(tmp_path, body)
    assert job.returncode == status
    assert job.stdout.splitlines()[-1] == "taken apart"
    assert ("ZeroDivisionError" in job.stderr) == ("1 / 0" in body)


def test_a_script_by_hand_ends_as_python_does(tmp_path):
    job = ended(tmp_path, DONE, asked="None")
    assert (job.returncode, job.stdout.splitlines()[-1]) == (0, "taken apart")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is full")
def test_words_that_cannot_be_written_are_told_by_python(tmp_path):
    with FULL.open("w") as full:
        job = ended(tmp_path, DONE, stdout=full)
    assert job.returncode != 0
    assert "No space left on device" in job.stderr
