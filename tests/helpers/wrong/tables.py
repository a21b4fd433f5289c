"""Tables of a user's, each the shipped one with something wrong."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from lighthouse.config.load import load_study
from lighthouse.config.schema import ConfigError
from repository import ROOT
from shipped import changed, shipped_lines


def told(entry: Mapping, folder: Path) -> str:
    """What is said of a ``table`` that has a ``row`` more, another ``header`` or another ``text``.

    latin1: the text in that encoding. repeated: a letter of a label of 600 of it. instead: what
    lies in the table's place.
    """
    path = folder / f"{entry['table']}.tsv"
    header, *rows = shipped_lines(entry["table"])
    if "repeated" in entry:
        entry = {"row": f"x\t\tbase\tiid\t\t{600 * entry['repeated']}", **entry}
    lines = [entry.get("header", header), *rows, *([entry["row"]] if "row" in entry else [])]
    text, encoding = entry.get("text", "\n".join(lines) + "\n"), "utf-8"
    if "latin1" in entry:
        text, encoding = entry["latin1"], "latin1"
    match entry.get("instead"):
        case None:
            path.write_bytes(text.encode(encoding))
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "eleven million bytes":
            path.touch()
            os.truncate(path, 11_000_000)
    with pytest.raises(ConfigError) as error:
        load_study(changed(f"tables.{entry['table']}", str(path)), ROOT)
    return str(error.value)
