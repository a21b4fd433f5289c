"""How a job ends when somebody stops it: with a line in its log, and no trace."""

import logging
import os
import signal
from types import FrameType

#: What ends a job from outside: Ctrl-C, and a scheduler, a service or a shutdown.
SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds that a job has to remove what it was writing, before the kernel ends it.
GRACE = 10

log = logging.getLogger("lighthouse")
#: The first signal that came.
_stopped_by: list[int] = []


def end_when_stopped() -> None:
    """From here on this process ends at one of ``SIGNALS`` with a line in its log, and no trace.

    Its status is then 128 + the signal's number, as shells have it.
    """
    for each in SIGNALS:
        signal.signal(each, _end)


def _end(number: int, frame: FrameType | None) -> None:
    if _stopped_by:  # several come: the terminal's and the run's
        return
    _stopped_by.append(number)
    signal.alarm(GRACE)
    log.debug("stopped by %s", signal.Signals(number).name)  # on the terminal the run says so
    logging.disable()  # what is left has no more to say, a bar of progress where it stood
    if _imports(frame):  # torch's own code, met half loaded, would leave a trace
        os._exit(128 + number)
    raise SystemExit(128 + number)


def _imports(frame: FrameType | None) -> bool:
    """Whether a module is being loaded; nothing is written meanwhile."""
    while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
