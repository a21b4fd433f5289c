"""Wrong inputs by kind: a module each, whose ``told`` makes one and returns what is said of it."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import yaml

from repository import ROOT

#: The lists, by kind. A kind's module has its name.
LISTS = {path.stem: path for path in sorted((ROOT / "tests" / "wrong_inputs").glob("*.yaml"))}


def entries(kind: str) -> list[dict]:
    """The wrong inputs of a kind."""
    return yaml.safe_load(LISTS[kind].read_text(encoding="utf-8"))


def lines(says: str | list[str]) -> list[str]:
    """A message as a list has it, line by line."""
    return [says] if isinstance(says, str) else says


def told(kind: str, entry: dict, folder: Path) -> list[str]:
    """What is said of an entry, line by line, made in an empty ``folder``.

    Without the headline that several mistakes share, and with ``DIR`` and ``ROOT`` for the
    folders of this machine.
    """
    message = import_module(f"wrong.{kind}").told(entry, folder)
    message = message.replace(str(folder), "DIR").replace(str(ROOT), "ROOT")
    return [line.removeprefix("  - ") for line in message.splitlines() if not _is_headline(line)]


def _is_headline(line: str) -> bool:
    return line in ("wrong configuration:", "missing data:")


def rows() -> Iterator[tuple[str, dict]]:
    """Every entry with its kind."""
    for kind in LISTS:
        yield from ((kind, entry) for entry in entries(kind))
