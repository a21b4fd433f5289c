"""How a run of Snakemake ends when somebody stops it: in two lines. Imported by no job."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import psutil  # Snakemake's

#: Before a job's Python has come so far as to end in one line: it is not stopped from the
#: terminal, but by its run (``Stopped``).
JOBS_PREFIX = "trap '' INT; "


class Stopped:
    """Whether a run of Snakemake was stopped: by which signal, 0 as long as by none.

    Ctrl-C ends it and its jobs, and so does its terminal's end. At SIGTERM, as Snakemake has it,
    no job is started, and those that run go on to their end. Of either it tells in two lines, and
    Snakemake, through whose ``logger`` all goes that it says, is silent from then on.
    """

    def __init__(self, logger: logging.Logger):
        self.by = 0
        logger.addFilter(lambda _: not self.by)
        for each in (signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(each) is not signal.SIG_IGN:  # as nohup has it
                signal.signal(each, self._end)

    def finish_when_told(self) -> None:
        """From here on SIGTERM is told. Call when Snakemake has its own handler."""
        finish = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, lambda *given: self._finish(finish, *given))

    @property
    def status(self) -> int:
        """With which the run is to end."""
        return 128 + self.by

    def _end(self, number: int, frame: FrameType | None) -> None:
        _end_jobs()
        if not self.by:
            self._tell(number, "Stopped, and all jobs with it.")
            raise SystemExit(self.status)

    def _finish(self, finish: Callable, number: int, frame: FrameType | None) -> None:
        if not self.by:
            self._tell(number, "Stopping: the jobs that run are the last.")
            finish(number, frame)

    def _tell(self, number: int, words: str) -> None:
        self.by = number
        text = f"\n{words}\nThe same command goes on where this one ends.\n"
        with suppress(OSError):  # of a terminal that is gone
            os.write(2, text.encode())  # through no stream, which may be at work just now


def _end_jobs() -> None:
    """End the processes of jobs: a job that has not come so far does not end by the terminal's."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if not process.children():  # a shell that waits for one ends with it
                process.terminate()
