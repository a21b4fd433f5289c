"""Commands that must end in time, with all that they started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks import ROOT

#: How often, in seconds, ``run_for`` calls ``meanwhile``.
MEANWHILE_SECONDS = 20.0
#: What a command gets between being told to stop and being killed.
GRACE_SECONDS = 15.0
#: Most that the kernel is waited for, which takes a moment for each process that it ends.
KILL_SECONDS = 2.0


def stop_when_told() -> None:
    """Have SIGTERM and SIGINT end this process as Ctrl-C does: ``finally`` blocks run.

    SIGINT too: a shell that starts a command in the background leaves it deaf to it, and
    its children with it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def run_for(
    seconds: float,
    command: Sequence[str],
    log: Path,
    meanwhile: Callable[[], None] | None = None,
    grace: float = GRACE_SECONDS,
) -> str:
    """Run a command in the repository for at most ``seconds``; return how it ended, in words.

    ``done``, ``failed (exit n)`` or ``stopped at its limit``. There, and where this process
    itself is told to stop, it is told as by Ctrl-C, and killed after ``grace``, its children
    with it: they are one group of processes, of which none is left when this returns or
    raises. A command that calls this itself needs a shorter grace for its own, which are
    another group. Output goes behind what ``log`` holds. ``meanwhile`` is called now and
    then while it runs.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603 (the study that is measured)
            list(command),
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    try:
        code = _wait(process, time.monotonic() + seconds, meanwhile)
        if code is None:
            return "stopped at its limit"
        return "done" if code == 0 else f"failed (exit {code})"
    finally:
        _end(process, grace)


def _wait(
    process: subprocess.Popen, until: float, meanwhile: Callable[[], None] | None
) -> int | None:
    """The exit code, or None where the process runs on at ``until``."""
    while (left := until - time.monotonic()) > 0:
        try:
            return process.wait(min(left, MEANWHILE_SECONDS))
        except subprocess.TimeoutExpired:
            if meanwhile:
                meanwhile()
    return process.poll()


def _end(process: subprocess.Popen, grace: float) -> None:
    """Tell the group to stop where it still runs, kill what is left, and see it gone."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(grace)
    finally:
        with suppress(ProcessLookupError):  # nothing is left
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            until = time.monotonic() + KILL_SECONDS
            while time.monotonic() < until:
                os.killpg(process.pid, 0)
                time.sleep(0.01)
        process.wait()
