"""What is wrong about a machine, and about how a script or a command is called."""

import contextlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from lighthouse.priors.processes import start_processes
from lighthouse.runtime import job as room
from lighthouse.runtime.arguments import read_arguments
from lighthouse.runtime.devices import lock, visible_devices
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.launching import compiled


def _arguments(folder: Path, given: str) -> None:
    groups, *_ = read_arguments()
    job = room.Job(*groups, threads=1)
    group, name = given.split(".")
    getattr(getattr(job, group), name)


def _device(folder: Path, wanted: int) -> None:
    lock(wanted, visible_devices(os.environ), folder / "locks")


def _processes(folder: Path, gpus: int) -> None:
    start_processes(SimpleNamespace(params=SimpleNamespace(gpus=gpus)), "prior.py")


def _compiler(folder: Path, launch: str) -> None:
    with compiled([], launch):
        pass


#: What reads the environment, by the key of an entry that says with what.
READ_BY = {"asks": _arguments, "devices": _device, "gpus": _processes, "launch": _compiler}


def told(entry: Mapping, folder: Path) -> str:
    """What is said of ``variables`` of the environment, or of the ``arguments`` of a script.

    ``files``: texts by name, written before.
    """
    for name, text in entry.get("files", {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    words = [word.replace("DIR", str(folder)) for word in entry.get("arguments", [])]
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setattr("sys.argv", ["script.py", *words])
        patch.delenv("RANK", raising=False)
        for name, value in entry.get("variables", {}).items():
            patch.setenv(name, value)
        (read,) = (READ_BY[key] for key in READ_BY if key in entry)
        (value,) = (entry[key] for key in READ_BY if key in entry)
        with pytest.raises((DataError, SystemExit)) as error:
            read(folder, value)
    *_, wrong = said.getvalue().strip().partition("script.py: error: ")
    return wrong if isinstance(error.value, SystemExit) else str(error.value)
