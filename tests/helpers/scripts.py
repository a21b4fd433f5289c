"""Scripts of rules, run by hand in this process: a new one takes seconds to start."""

import json
import logging
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from lighthouse.runtime.job import Job, log
from lighthouse.runtime.stopping import SIGNALS
from repository import ROOT

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@contextmanager
def by_hand() -> Iterator[Callable[..., None]]:
    """A function that runs a script; what scripts do to the process is undone at the end.

    It takes the name of the script, its inputs, outputs and params by name, and its wildcards.
    """
    root = logging.getLogger()
    handlers, levels = root.handlers[:], (root.level, log.level)
    with pytest.MonkeyPatch.context() as patch:
        for name in THREADS:
            patch.setenv(name, "1")
        patch.setattr(sys, "excepthook", sys.excepthook)
        handlers_of = {each: signal.getsignal(each) for each in SIGNALS}

        def run(name, inputs, outputs, params, **wildcards):
            # What all rules give that train.
            params = {"code": "", "checkpoint_seconds": 60, **params}
            groups = (inputs, outputs, params, wildcards)
            plain = [json.loads(json.dumps(group, default=str)) for group in groups]
            job = Job(*(SimpleNamespace(**group) for group in plain), threads=1)
            patch.setattr(sys, "argv", [f"{name}.py", *job.arguments()])
            runpy.run_path(str(ROOT / "workflow" / "scripts" / f"{name}.py"))

        yield run
    for each, handler in handlers_of.items():
        signal.signal(each, handler)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    log.setLevel(levels[1])
