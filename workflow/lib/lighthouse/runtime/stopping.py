"""How jobs, and a run of Snakemake, end when somebody stops them: in few words, with no trace."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

#: What ends a job from outside: Ctrl-C, and a scheduler, a service or a shutdown.
SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds that a job has to remove what it was writing, before the kernel ends it.
GRACE = 10
#: Before a job's Python has come so far as to end in one line: it is not stopped from the
#: terminal, but by its run (``Stopped``).
JOBS_PREFIX = "trap '' INT; "

log = logging.getLogger("lighthouse")


def end_when_stopped() -> None:
    """From here on this process ends at one of ``SIGNALS`` with a line in its log, and no trace.

    Its status is then 128 + the signal's number, as shells have it.
    """
    for each in SIGNALS:
        signal.signal(each, _end)


def _end(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:  # several come: the terminal's and the run's
        signal.signal(each, lambda *_: None)
    signal.alarm(GRACE)
    log.debug("stopped by %s", signal.Signals(number).name)  # on the terminal the run says so
    logging.disable()  # what is left has no more to say, a bar of progress where it stood
    raise SystemExit(128 + number)


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
    import psutil  # comes with Snakemake, and a job has none

    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if not process.children():  # a shell that waits for one ends with it
                process.terminate()
