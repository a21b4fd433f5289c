"""Keeps the packages of Snakemake's own process out of a rule's environment.

Snakemake's preamble appends the search path of its process to a script's, so that the
script can unpickle the ``snakemake`` object. A package that the environment lacks is
then found in the host's, and an incomplete environment file goes unnoticed. The
stand-in for conda installs this module in every environment that it builds. From the
host it leaves visible Snakemake's own modules alone; the host's installed packages
are hidden from ``importlib.metadata`` too.

Where the variable STANDIN_RECORDS names a folder, a script leaves a record there of the
rule, the environment, and the modules that came from outside both the environment and
the standard library.
"""

import atexit
import json
import os
import sys
import sysconfig
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.metadata import DistributionFinder
from pathlib import Path

PREFIX = Path(sys.prefix).resolve()
STDLIB = Path(sysconfig.get_path("stdlib")).resolve()
PACKAGE_FOLDERS = {"site-packages", "dist-packages"}
LOADERS = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)


def is_host(path: str) -> bool:
    """True for folders of installed packages outside this environment."""
    return bool(PACKAGE_FOLDERS.intersection(Path(path).parts)) and not (
        Path(path).resolve().is_relative_to(PREFIX)
    )


class HostFinder(FileFinder):
    """Finds Snakemake's modules in a folder of the host, and no other."""

    def find_spec(self, fullname: str, target: object = None) -> object:
        """The spec of a module of ``snakemake`` or ``snakemake_interface_…``, or None."""
        return super().find_spec(fullname, target) if fullname.startswith("snakemake") else None


def host_hook(path: str) -> HostFinder:
    """A path hook: takes the host's folders, leaves the others to the usual hooks."""
    if not is_host(path):
        raise ImportError
    return HostFinder(path, *LOADERS)


class OwnMetadata(PathFinder):
    """The usual finder, blind to the metadata of the host's packages."""

    @classmethod
    def find_distributions(cls, context: object = None) -> object:
        """Distributions of the search path without the host's folders."""
        context = context or DistributionFinder.Context()
        path = [folder for folder in context.path if not is_host(folder)]
        return super().find_distributions(DistributionFinder.Context(name=context.name, path=path))


def record(folder: str) -> None:
    """Write what a rule's script ran with; other uses of the interpreter leave no record."""
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is None:
        return
    outside = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        # torch gives some modules of its own making a bare file name.
        if file and Path(file).is_absolute() and name != "__main__":
            path = Path(file).resolve()
            standard = path.is_relative_to(STDLIB) and not PACKAGE_FOLDERS.intersection(path.parts)
            if not standard and not path.is_relative_to(PREFIX):
                outside[name] = str(path)
    about = {
        "rule": job.rule,
        "prefix": str(PREFIX),
        "interpreter": sys.executable,
        "pythonpath": os.environ.get("PYTHONPATH"),
        "outside": outside,
    }
    path = Path(folder, f"{job.rule}-{os.getpid()}.json")
    path.write_text(json.dumps(about), encoding="utf-8")


sys.path_hooks.insert(0, host_hook)
sys.meta_path[sys.meta_path.index(PathFinder)] = OwnMetadata
if os.environ.get("STANDIN_RECORDS"):
    atexit.register(record, os.environ["STANDIN_RECORDS"])
