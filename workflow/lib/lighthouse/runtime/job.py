"""One rule's process: its inputs, its log, its threads, and its last word.

A script runs under Snakemake's ``script:`` directive, or by hand:

    PYTHONPATH=workflow/lib python workflow/scripts/NAME.py \\
        --input latents=l.safetensors --output model=m --param steps=100 --threads 2
"""

import atexit
import gc
import json
import logging
import os
import platform
import resource
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from lighthouse.runtime.arguments import read_arguments
from lighthouse.runtime.devices import take_devices
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import in_words
from lighthouse.runtime.files import write_json
from lighthouse.runtime.lazy import import_lazily
from lighthouse.runtime.stopping import end_when_stopped
from lighthouse.runtime.terminal import JobLines

log = logging.getLogger("lighthouse")
#: How a line of a log is written, and its time.
LINES = "%(asctime)s %(message)s", "%H:%M:%S"
#: Where Linux is told to forget a process's peak of memory.
PEAK_RESET = Path("/proc/self/clear_refs")


@dataclass
class Job:
    """What a script was asked to do. ``input.name``, ``output.name``, ``params.name``."""

    input: object
    output: object
    params: object
    wildcards: object
    threads: int
    log: str | None = None
    started: float = field(default_factory=time.monotonic)
    began: float | None = None

    def arguments(self) -> list[str]:
        """The job as arguments of its script. Of Snakemake's lists, what has a name."""
        groups = ("input", self.input), ("output", self.output), ("param", self.params)
        words = [
            word
            for option, group in (*groups, ("wildcard", self.wildcards))
            for name, value in _named(group)
            for word in (f"--{option}", f"{name}={json.dumps(value)}")
        ]
        log_words = ["--log", self.log] if self.log else []
        return [*words, "--threads", str(self.threads), *log_words]

    def work_begins(self) -> None:
        """From here on the clock of ``cost`` runs: behind imports and the loading of weights."""
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        with suppress(OSError):  # another system, or a box that forbids it
            PEAK_RESET.write_text("5")
        self.began = time.monotonic()

    def done(self, made: str, **facts: object) -> None:
        """Log what was made, in how long and with how much memory.

        Where the rule has an output ``cost``, write there what the work took, as
        ``cost`` gives it, with ``facts`` (how many images, say).
        """
        path = dict(_named(self.output)).get("cost")
        if path:
            write_json(path, self.cost(**facts))
        seconds = time.monotonic() - self.started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        log.info("%s (%.1f s, peak %.2f GiB)", made, seconds, peak)

    def cost(self, **facts: object) -> dict:
        """Seconds since the work began, peak memory in bytes, the device, the threads, ``facts``.

        Of ``facts`` ``seconds`` takes the place of that clock, where a job knows better: that
        it went on where another process was cut short, say. All else is this process's.

        Memory of the host is the process's peak since the work began (where the system is not
        Linux, since its start); that of an accelerator what torch had allocated there, None
        without one.
        """
        torch = sys.modules.get("torch")
        gpu = torch is not None and torch.cuda.is_available()
        return {
            "seconds": time.monotonic() - (self.began or self.started),
            "peak_host_bytes": _peak_host_bytes(),
            "peak_device_bytes": torch.cuda.max_memory_allocated() if gpu else None,
            "device": torch.cuda.get_device_name() if gpu else platform.processor() or "cpu",
            "threads": self.threads,
            **facts,
        }


def _peak_host_bytes() -> int:
    """The process's peak of memory, since it was reset where Linux has done so."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def start(snakemake: object | None) -> Job:
    """Begin a job: call before anything imports torch.

    ``snakemake`` is the object that Snakemake gives a script, or None when run by
    hand. The parameter ``torch_threads``, where a rule gives it, holds whatever
    Snakemake granted: results that depend on the number of threads then do not depend
    on ``--cores``. Of several devices the job sees as many as its rule asks for.
    """
    job = _from_snakemake(snakemake) if snakemake is not None else _from_arguments()
    _start_log(job.log, anew=snakemake is not None)
    end_when_stopped()
    # At the end Python would look through all that torch has loaded for cycles: a third of a
    # second, and every job is a new process.
    atexit.register(gc.freeze)
    if snakemake is not None:
        take_devices(snakemake.resources.get("gpu", 0))
    job.threads = getattr(job.params, "torch_threads", None) or job.threads
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(job.threads)
    import_lazily()
    return job


def _from_snakemake(snakemake: object) -> Job:
    return Job(
        snakemake.input,
        snakemake.output,
        snakemake.params,
        snakemake.wildcards,
        snakemake.threads,
        snakemake.log[0] if snakemake.log else None,
    )


def _from_arguments() -> Job:
    groups, threads, log_path = read_arguments()
    return Job(*groups, threads, log_path)


def _named(group: object) -> list[tuple[str, object]]:
    """Names and values of a job's group, as Snakemake or as the arguments gave it."""
    return [*(vars(group) if isinstance(group, SimpleNamespace) else group).items()]


def is_main() -> bool:
    """Whether this process is the one to write: the first, where a job runs as several."""
    return os.environ.get("RANK", "0") == "0"


def _start_log(path: str | None, anew: bool) -> None:
    """Log to stderr, and to the rule's log file, where tracebacks go too.

    What is too long for a terminal is logged as ``debug``, to the file alone. Of a job's
    several processes the first speaks, and the others of errors alone.
    """
    sys.excepthook = _log_exception
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    handlers[0].setLevel(logging.INFO)
    handlers[0].setFormatter(JobLines(*LINES))
    if path:
        handlers.append(_LogFile(path, mode="w" if anew else "a", encoding="utf-8"))
    logging.basicConfig(
        level=logging.INFO if is_main() else logging.ERROR,
        format=LINES[0],
        datefmt=LINES[1],
        handlers=handlers,
        force=True,
    )
    log.setLevel(logging.DEBUG if is_main() else logging.ERROR)


class _LogFile(logging.FileHandler):
    """A log file. That the disk takes no more of it is said once, on stderr, and stops no job."""

    said: str | None = None

    def handleError(self, record: logging.LogRecord) -> None:
        """Called by logging where a line could not be written."""
        words = in_words(sys.exc_info()[1], self.baseFilename)
        if words is None:
            super().handleError(record)
        elif words != self.said:
            self.said = words
            print(words, file=sys.stderr)


#: Errors whose text says which step and sample, what fits, which file or what to fetch by
#: hand: no trace helps more.
SAY_ALL = (FloatingPointError, MemoryError, ConnectionError, DataError)


def told(error: BaseException) -> str | None:
    """All that is to be said of an error; None where its trace is to be seen.

    Of a place that cannot be written or read, too, if the error names it (``runtime.faults``).
    """
    if isinstance(error, SAY_ALL) and str(error):
        return str(error)
    return in_words(error) if isinstance(error, OSError) else None


def _log_exception(kind: type, error: BaseException, trace: object) -> None:
    if words := told(error):
        log.error("%s", words)
    else:
        log.error("stopped", exc_info=(kind, error, trace))


def device() -> object:
    """The device that heavy work runs on: the first accelerator, or the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class _LogWriter:
    """Where tqdm writes: each finished state of a bar becomes one line of the log."""

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line:
            log.info("%s", line)

    def flush(self) -> None:
        """Nothing is held back."""


def progress(
    iterable: object, what: str, total: int | None = None, unit: str = "step", initial: int = 0
) -> object:
    """tqdm as one log line every ten seconds: jobs run side by side, and bars would collide."""
    from tqdm import tqdm

    return tqdm(
        iterable,
        desc=what,
        total=total,
        unit=unit,
        initial=initial,
        ncols=80,
        mininterval=10.0,
        maxinterval=10.0,
        file=_LogWriter(),
    )
