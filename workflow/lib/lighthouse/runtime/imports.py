"""Importing a library without what it loads for things that are not used here."""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def standing_in(modules: Mapping[str, Mapping | None]) -> Iterator[None]:
    """Imports inside find other modules in place of those named, unless these are loaded already.

    modules: for each name what the module in its place holds, or None: it is not there.
    Afterwards an import finds the real ones, as if nothing had been.
    """
    replaced = [name for name in modules if name not in sys.modules]
    for name in replaced:
        contents = modules[name]
        sys.modules[name] = None if contents is None else _module(name, contents)
    try:
        yield
    finally:
        for name in replaced:
            sys.modules.pop(name, None)


def preload(package: str, names: Iterable[str], without: Mapping[str, Mapping | None]) -> None:
    """Load ``names`` of a package with other modules ``standing_in``.

    A package that cannot do with these, as another version of it might, is left unloaded:
    the caller's own import then loads everything.
    """
    before = set(sys.modules)
    try:
        with standing_in(without):
            module = importlib.import_module(package)
            for name in names:
                getattr(module, name)
    except Exception:  # whatever a library does where it misses something
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == package:
                del sys.modules[name]


def unmarked(function: object = None, *_: object, **__: object) -> object:
    """A decorator, with or without arguments, that leaves a function as it is."""
    return unmarked if function is None else function


def _module(name: str, contents: Mapping) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module
