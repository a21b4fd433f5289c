"""Tables that a user gives, tab-separated: read with every mistake told, in a line with its place.

A field is what stands between two tabs, as it stands: there is no quoting, so that no character
of a field can swallow the lines behind it. Line numbers are an editor's.
"""

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from lighthouse.config.plain import unseen
from lighthouse.config.schema import check

#: Most bytes of a table: ten thousand times what the shipped ones have.
LARGEST = 10_000_000
#: Most characters of a field: a label is a line of a figure.
LONGEST = 500
#: Mistakes that are told of one table.
SHOWN = 20
#: Numbers as they are written, in ASCII: Python's own ``int`` takes ``1_000`` and ``１`` as well.
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def read_table(path: Path, schema: dict) -> tuple[list[dict], list[str]]:
    """Read a table, its columns typed by ``schema``.

    Empty fields, and those that a line is too short for, are left out of a row; lines without
    any are passed over. Returns the rows and one line for each mistake in them, with the
    file's name and the line number, of many the first. Columns that have to be there are the
    schema's ``x-columns``, else all; no two rows are alike in all of ``x-key``.
    """
    try:
        lines = _lines(path)
    except ValueError as error:
        return [], [f"{path}: {error}"]
    names = lines[0].split("\t")
    problems = list(islice(_header(names, schema), 1))
    if problems:
        return [], [f"{path}, line 1: {problem}" for problem in problems]
    rows, seen = [], {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        fields = line.split("\t")
        row = {
            name: _typed(field, schema["properties"][name].get("type"))
            for name, field in zip(names, fields, strict=False)
            if field
        }
        place = f"{path}, line {number}"
        found = [f"{place}: {problem}" for problem in _of_fields(names, fields)]
        found = found or check(row, schema, place, hint=lambda *_: "")  # no YAML
        key = tuple(row.get(name) for name in schema["x-key"])
        first = seen.setdefault(key, number)
        if not found and first != number:
            words = " ".join(str(value) for value in key if value is not None)
            found = [f"{place}: {words} has two rows, the first on line {first}"]
        problems += found
        rows.append(row)
    if len(problems) > SHOWN:
        problems[SHOWN:] = [f"{path}: and {len(problems) - SHOWN} mistakes more"]
    return rows, problems if rows else [f"{path}: has no rows"]


def _lines(path: Path) -> list[str]:
    """The lines of a file, the header first, without their ends (``\\n``, ``\\r\\n``) and without a
    byte order mark. Raises ``ValueError`` where it holds no text."""
    if path.is_dir():
        raise ValueError("is a folder; allowed: a file of tab-separated fields")
    if not path.exists():
        raise ValueError("cannot be read: no such file")
    if not path.is_file():
        raise ValueError("is no file that can be read to its end; allowed: an ordinary file")
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"has {size} bytes; allowed: at most {LARGEST}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {number} is not UTF-8; save the file in that encoding") from None
    if not text.strip():
        raise ValueError("is empty; a header of tab-separated names is wanted")
    return [line.removesuffix("\r") for line in text.split("\n")]


def _header(names: list[str], schema: dict) -> Iterable[str]:
    """What is wrong with the names of the columns."""
    columns, wanted = schema["properties"], schema.get("x-columns", list(schema["properties"]))
    missing = [name for name in wanted if name not in names]
    if missing:
        sign = next((s for s in (",", ";") if len(names[0].split(s)) > len(names)), None)
        given = f"; its names stand between {sign!r}" if sign else ""
        yield (
            f"no column {', '.join(missing)}; a header of tab-separated names is wanted: "
            f"{', '.join(wanted)}{given}"
        )
    unknown = [name for name in names if name not in columns]
    if unknown:
        yield (
            f"unknown column {', '.join(map(repr, unknown))}; allowed: {', '.join(columns)}, "
            "a tab between two"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield f"column {', '.join(map(repr, twice))} is there twice; allowed: each once"


def _of_fields(names: list[str], fields: list[str]) -> Iterable[str]:
    """What is wrong with a row's fields, whatever they should say."""
    if len(fields) > len(names):
        yield f"more fields than columns: {len(fields)} of {len(names)}"
    for name, field in zip(names, fields, strict=False):
        lead = f"{name}: {field!r}"
        if len(field) > LONGEST:
            yield f"{name}: has {len(field)} characters; allowed: at most {LONGEST}"
        elif odd := unseen(field):
            yield f"{lead} holds {odd}; allowed: characters that can be seen, blanks"
        elif field != field.strip():
            yield f"{lead} has blanks around it; leave them out"
        elif field.startswith('"'):
            yield f"{lead} begins with a quote; fields are taken as they stand, without quotes"


def _typed(field: str, kind: str | None) -> object:
    """A field as the number that its column is of; as it stands where it is none."""
    if kind == "integer" and INTEGER.fullmatch(field):
        return int(field)
    if kind == "number" and NUMBER.fullmatch(field):
        return float(field) + 0.0  # -0 is 0, in paths too
    return field
