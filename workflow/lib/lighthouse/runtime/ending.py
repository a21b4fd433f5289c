"""How a job ends that has done its work: at once.

Python would first take apart all that is loaded. Of torch's libraries that takes as long as a
third of their import, and every job is a new process.
"""

import atexit
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from lighthouse.runtime.stopping import was_stopped


def end_at_once(is_done: Callable[[], bool]) -> None:
    """Have this process end behind its last function ``atexit``, with status 0, if ``is_done()``.

    Not where an exception or a signal ends it: that has a status and words of its own. Call before
    anything is imported that has something to do at the end, as it is done in reverse order.
    """
    atexit.register(_end, is_done)


def _end(is_done: Callable[[], bool]) -> None:
    # The interpreter leaves the exception that ended it there.
    if not is_done() or hasattr(sys, "last_type") or was_stopped():
        return
    with suppress(OSError):  # what cannot be written is Python's to tell
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
