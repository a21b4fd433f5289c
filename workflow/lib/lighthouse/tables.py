"""CSV tables, the interface between stages: scripts outside this project read them too.

How rows are written and read, what names a row's cell, and the words of its status.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lighthouse.runtime.faults import reading
from lighthouse.runtime.files import whole

#: What names a cell, in tables and in the rows that rules pass.
CELL = ("dataset", "method", "ipc", "variant")
#: The status of a row: computed; its computation failed; this study leaves it out.
MEASURED, MISSING, NOT_RUN = "measured", "missing", "not run"
NAN = float("nan")
#: Columns of words that a study, its folders of classes or a list of published figures give.
TEXTS = frozenset({"class", "label", "source", "published_source", "says", "place"})


def cell_key(row: Mapping) -> tuple[str, ...]:
    """What a row's cell is found by, whether its numbers come from a rule or from a CSV file.

    Numbers are compared as the files keep them, at 6 digits.
    """
    return tuple(str(field(_plain(row[name]))) for name in CELL)


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


def read_rows(path: str | Path) -> list[dict]:
    """Read a CSV (or TSV) table: numbers as numbers, an empty field as NaN.

    Names begin with a letter wherever a study may give one, so none is taken for a number;
    what people write as they like (``TEXTS``) stays text, whatever it looks like. Raises
    ``DataError`` at a table that is torn.
    """
    read = _given if Path(path).suffix == ".tsv" else _written
    with reading(path):
        rows = read(Path(path).read_bytes().decode("utf-8-sig"))
    return [
        {key: text if text and key in TEXTS else parsed(text) for key, text in row.items()}
        for row in rows
    ]


def _written(text: str) -> list[dict[str, str]]:
    """The rows of a table of ours. Raises ``ValueError`` where it is torn."""
    if not text.endswith("\n"):
        raise ValueError("its last line has no end" if text else "it is empty")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if torn := [n for n, row in enumerate(rows, 1) if None in row or None in row.values()]:
        raise ValueError(f"its row {torn[0]} has not as many fields as columns have names")
    return rows


def _given(text: str) -> list[dict[str, str]]:
    """The rows of a user's table, whose lines may be short or empty (``config.table_files``)."""
    lines = io.StringIO(text, newline="")
    rows = csv.DictReader(lines, delimiter="\t", restval="", quoting=csv.QUOTE_NONE)
    return [row for row in rows if any(map(str.strip, row.values()))]


def field(value: object) -> object:
    """A value as CSV files have it: a float at 6 digits, NaN empty."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return value


NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?(e[-+]?[0-9]+)?")


def parsed(text: str) -> object:
    """A field of a CSV file as the number that it is, NaN where it is empty, else as it stands."""
    if text == "":
        return NAN
    if not NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdecimal() else float(text)
