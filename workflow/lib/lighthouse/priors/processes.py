"""A job's script in several processes, one for each accelerator, through accelerate."""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import lighthouse
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.job import Job

#: What a launcher sets beside ``RANK``.
SIBLINGS = ("WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
LIBRARY = Path(lighthouse.__file__).parents[1]


def start_processes(job: Job, script: str) -> None:
    """Where the parameter ``gpus`` is above 1, start ``script`` anew in so many processes.

    This process becomes their launcher, under its own id, so that whoever stops the job
    stops them; there is no return. Returns in them, and where one process is enough.
    Raises ``DataError`` where the machine has accelerators, but fewer, and where this process
    is said to be one of several by half. Without any the
    processes share the CPU.
    """
    if "RANK" in os.environ:
        _check_siblings(os.environ)
        _die_with_the_launcher()
        return
    if job.params.gpus == 1:
        return
    import torch

    if 0 < torch.cuda.device_count() < job.params.gpus:
        raise DataError(
            f"compute.training_gpus: {job.params.gpus} accelerators are wanted, "
            f"{torch.cuda.device_count()} can be seen"
        )
    search = [str(LIBRARY), *filter(None, [os.environ.get("PYTHONPATH")])]
    path = LIBRARY.parent / "scripts" / script
    os.execve(  # noqa: S606 (a list of words, so that no shell reads them)
        sys.executable,
        [sys.executable, *_launcher(job.params.gpus), str(path), *job.arguments()],
        # Of the launcher's own words errors alone: its processes say why they end.
        {**os.environ, "PYTHONPATH": os.pathsep.join(search), "LOGLEVEL": "ERROR"},
    )


def _check_siblings(environment: Mapping[str, str]) -> None:
    """A ``RANK`` of somebody's shell alone would make a process that trains, and writes nothing."""
    missing = [name for name in SIBLINGS if name not in environment]
    if missing:
        raise DataError(
            "RANK is set, as for one of several processes, "
            f"and {', '.join(missing)} not: unset RANK"
        )


def _die_with_the_launcher() -> None:
    """Have the kernel kill this process when its launcher is gone, however that was stopped.

    Left alone it would train on, beside the job's next attempt.
    """
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _launcher(processes: int) -> list[str]:
    """accelerate's launcher with every choice made, that a user's file of defaults makes none.

    ``--multi_gpu`` is what it calls several processes on one machine; port 0 is a free one.
    """
    return [
        *("-c", f"from {__name__} import launch; launch()", "--multi_gpu"),
        *("--num_processes", str(processes), "--num_machines", "1", "--gpu_ids", "all"),
        *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"),
    ]


def launch() -> None:
    """What ``_launcher`` starts: accelerate's launcher, with no trace of it when it is stopped."""
    from accelerate.commands.launch import main
    from torch.distributed.elastic.multiprocessing import SignalException

    try:
        main()
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)
