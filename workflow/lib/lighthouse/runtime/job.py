"""One rule's process: its inputs, its log, its threads, and its last word.

A script runs under Snakemake's ``script:`` directive, or by hand:

    PYTHONPATH=workflow/lib python workflow/scripts/NAME.py \\
        --input latents=l.safetensors --output model=m --param steps=100 --threads 2
"""

import argparse
import json
import logging
import os
import resource
import sys
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

log = logging.getLogger("lighthouse")


@dataclass
class Job:
    """What a script was asked to do. ``input.name``, ``output.name``, ``params.name``."""

    input: object
    output: object
    params: object
    wildcards: object
    threads: int
    started: float = field(default_factory=time.monotonic)

    def done(self, made: str) -> None:
        """Log what was made, in how long and with how much memory."""
        seconds = time.monotonic() - self.started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        log.info("%s (%.1f s, peak %.2f GiB)", made, seconds, peak)


def start(snakemake: object | None) -> Job:
    """Begin a job: call before anything imports torch.

    ``snakemake`` is the object that Snakemake gives a script, or None when run by
    hand. The parameter ``torch_threads``, where a rule gives it, holds whatever
    Snakemake granted: results that depend on the number of threads then do not depend
    on ``--cores``.
    """
    job = _from_snakemake(snakemake) if snakemake is not None else _from_arguments()
    _start_log(snakemake.log[0] if snakemake is not None and snakemake.log else None)
    job.threads = getattr(job.params, "torch_threads", None) or job.threads
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(job.threads)
    return job


def _from_snakemake(snakemake: object) -> Job:
    return Job(
        snakemake.input,
        snakemake.output,
        snakemake.params,
        snakemake.wildcards,
        snakemake.threads,
    )


def _from_arguments() -> Job:
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    for name in ("input", "output", "param", "wildcard"):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="may be repeated; a value is JSON or else a word",
        )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    groups = [
        SimpleNamespace(**dict(map(_pair, getattr(options, name))))
        for name in ("input", "output", "param", "wildcard")
    ]
    return Job(*groups, threads=options.threads)


def _pair(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _start_log(path: str | None) -> None:
    """Log to stderr, and to the rule's log file, where tracebacks go too."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path:
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    sys.excepthook = _log_exception


def _log_exception(kind: type, error: BaseException, trace: object) -> None:
    if isinstance(error, FloatingPointError):  # names its step and sample; no trace helps more
        log.error("%s", error)
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
