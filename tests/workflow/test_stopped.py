"""Ctrl-C at a real run's terminal: two lines, no trace, and the same command goes on."""

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest
import yaml

from repository import ROOT

#: Long enough to be met at work, and with checkpoints on the way.
LONGER = {"datasets": {"digits": {"base": {"steps": 200}}}, "compute": {"checkpoint_seconds": 0.05}}
PRIOR = "results/priors/digits/replicate~0/base"
SECONDS = 400  # of a machine that is busy; 40 otherwise

pytestmark = pytest.mark.workflow


def start(folder):
    """The run in the foreground of a terminal of its own, and the terminal."""
    ours, its = pty.openpty()
    configs = "tests/configs/tiny.yaml", folder / "longer.yaml"
    given = "--cores", "2", "--directory", folder, "--configfile", *configs, "--", PRIOR
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *given],
        cwd=ROOT,
        preexec_fn=lambda: os.login_tty(its),
    )
    os.close(its)
    return run, ours


def read(terminal, stop_at=None):
    """All that is said until the run ends; Ctrl-C once ``stop_at`` exists."""
    said, until = b"", time.monotonic() + SECONDS
    while time.monotonic() < until:
        if stop_at and stop_at.exists():
            os.write(terminal, b"\x03")
            stop_at = None
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                said += os.read(terminal, 2**16)
            except OSError:  # Linux's end of a terminal that nobody holds
                break
    return said.decode().replace("\r\n", "\n")


def test_ctrl_c_is_told_in_two_lines_and_the_same_command_goes_on(tmp_path):
    (tmp_path / "longer.yaml").write_text(yaml.safe_dump(LONGER))
    run, terminal = start(tmp_path)
    checkpoint = tmp_path / f"{PRIOR}.checkpoint"
    said = read(terminal, stop_at=checkpoint)
    assert run.wait(SECONDS) == 130
    behind = said.partition("^C")[2].strip().splitlines()
    assert behind == [
        "Stopped, and all jobs with it.",
        "The same command goes on where this one ends.",
    ]
    run, terminal = start(tmp_path)
    said = read(terminal)
    assert run.wait(SECONDS) == 0, said
    assert re.search(r"going on from step \d+", said)
    assert (tmp_path / PRIOR / "lighthouse.json").is_file()
    assert not checkpoint.exists()
