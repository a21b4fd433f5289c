"""Compiled modules, kept for the next process."""

from collections.abc import MutableMapping
from pathlib import Path


def keep_bytecode(environment: MutableMapping[str, str], folder: Path) -> None:
    """Where Python is told to write no bytecode, have it kept apart in ``folder``.

    Every job is a new process, and compiling torch and diffusers anew in each triples
    its start. Where bytecode is written beside the sources, as by default, nothing
    changes.
    """
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(folder.resolve()))
