"""Which code, which libraries and which machine made a result."""

import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import lighthouse
from lighthouse.runtime.contents import MACHINE
from lighthouse.runtime.machine import machine

#: Libraries whose version can change a number, by the module that they are imported as.
LIBRARIES = {
    "torch": "torch",
    "accelerate": "accelerate",
    "diffusers": "diffusers",
    "torch_fidelity": "torch-fidelity",
    "numpy": "numpy",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that this process imported.

    What is merely installed had no part in a result, and under conda deployment the
    host's packages are on the path too.
    """
    found = {"lighthouse": lighthouse.__version__, "python": platform.python_version()}
    used = {module: name for module, name in LIBRARIES.items() if module in sys.modules}
    return found | {name: _version(module, name) for module, name in used.items()}


def _version(module: str, name: str) -> str:
    return getattr(sys.modules[module], "__version__", None) or version(name)


def provenance(**options: object) -> Mapping:
    """The record written beside, or into, every result: its options, versions and hardware."""
    return {"options": options, "versions": versions(), MACHINE: machine()}


def study_record(config: Mapping, methods: Sequence[Mapping], hyperparameters: object) -> dict:
    """What the tables and figures of a study were computed with."""
    record = {"config": config, "methods": methods, "hyperparameters": hyperparameters}
    return {"record": {**record, "versions": versions(), MACHINE: machine()}}


def code_of(repository: Path) -> dict:
    """The commit of a checkout, and whether tracked files differ from it.

    Both None where it is no checkout, or there is no git.
    """
    commit = _git(repository, "rev-parse", "HEAD")
    changes = _git(repository, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "changed": None if changes is None else bool(changes)}


def _git(repository: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 (arguments of this module)
            ["git", "-C", repository, *arguments],  # noqa: S607 (wherever git is)
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
