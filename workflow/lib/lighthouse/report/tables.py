"""Tables. CSV columns are the interface: scripts outside this project read them."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lighthouse.runtime.files import whole

#: What names a cell, in tables and in the rows that rules pass.
CELL = ("dataset", "method", "ipc", "lambda", "eta_dpp", "mu_dm")
#: The status of a row: computed; its computation failed; this study leaves it out.
MEASURED, MISSING, NOT_RUN = "measured", "missing", "not run"
NAN = float("nan")
#: Columns of words that a study or a list of published figures gives.
TEXTS = frozenset({"label", "source", "published_source"})


def cell_key(row: Mapping) -> tuple[str, ...]:
    """What a row's cell is found by, whether its numbers come from a rule or from a CSV file.

    Numbers are compared as the files keep them, at 6 digits.
    """
    return tuple(str(field(_plain(row[name]))) for name in CELL)


class Table(NamedTuple):
    """Rows with their columns in order; the first row's keys unless given."""

    rows: Sequence[Mapping]
    columns: Sequence[str] = ()


def _plain(value: object) -> object:
    """A number as a float, so that 0 and 0.0 are one; words as they are."""
    return float(value) if isinstance(value, int | float) else value


def write_rows(path: str | Path, rows: Sequence[Mapping], columns: Sequence[str] = ()) -> None:
    """Write rows as CSV. Floats keep 6 digits; NaN is empty.

    columns: the first row's keys unless given. A table that may have no row has to give them.
    """
    with whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns or rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: field(value) for key, value in row.items()} for row in rows)


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def read_rows(path: str | Path) -> list[dict]:
    """Read a CSV (or TSV) table: numbers as numbers, an empty field as NaN.

    Names begin with a letter wherever a study may give one, so none is taken for a number;
    what people write as they like (``TEXTS``) stays text, whatever it looks like.
    """
    delimiter = "\t" if Path(path).suffix == ".tsv" else ","
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=delimiter)
        return [
            {key: text if text and key in TEXTS else parsed(text) for key, text in row.items()}
            for row in rows
        ]


def field(value: object) -> object:
    """A value as CSV files have it: a float at 6 digits, NaN empty."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return value


NUMBER = re.compile(r"[-+]?\d+(\.\d*)?(e[-+]?\d+)?")


def parsed(text: str) -> object:
    """A field of a file: a number where it looks like one, NaN where it is empty, or text."""
    if text == "":
        return NAN
    if not NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def joined(parts: Sequence[Sequence[Mapping] | None], names: Sequence[Mapping]) -> dict:
    """The table of the rows of several files with the same columns, in order, with ``status``.

    names: what names each file's rows. A part that is None is one row with these alone, as
    missing. Raises ``ValueError`` where the columns differ.
    """
    columns: list[str] | None = None
    for part, name in zip(parts, names, strict=True):
        if part:
            columns = columns or list(part[0])
            if list(part[0]) != columns:
                raise ValueError(f"{dict(name)} has columns {list(part[0])}, not {columns}")
    if columns is None:  # of names alone
        columns = list(dict.fromkeys(key for name in names for key in name))
    rows = []
    for part, name in zip(parts, names, strict=True):
        if part is None:
            rows.append({**dict.fromkeys(columns, NAN), **name, "status": MISSING})
        else:
            rows += [{**row, "status": MEASURED} for row in part]
    return {"table": Table(rows, (*columns, "status"))}
