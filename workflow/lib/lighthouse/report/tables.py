"""Tables. CSV columns are the interface: scripts outside this project read them."""

import csv
import html
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

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
    return tuple(str(_field(_plain(row[name]))) for name in CELL)


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
        writer.writerows({key: _field(value) for key, value in row.items()} for row in rows)


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
            {key: text if text and key in TEXTS else _value(text) for key, text in row.items()}
            for row in rows
        ]


def _field(value: object) -> object:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return value


NUMBER = re.compile(r"[-+]?\d+(\.\d*)?(e[-+]?\d+)?")


def _value(text: str) -> object:
    if text == "":
        return NAN
    if not NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


STYLE = """<style>
body { font: 14px sans-serif; margin: 1em }
table { border-collapse: collapse }
th { position: sticky; top: 0; background: #fff; border-bottom: 1px solid #333 }
th, td { padding: 0.2em 0.8em; text-align: right; white-space: nowrap }
tr:nth-child(even) td { background: #f4f4f4 }
td.missing { color: #b00; font-weight: bold }
</style>
"""


def write_table(
    csv_path: str | Path,
    html_path: str | Path,
    rows: Sequence[Mapping],
    columns: Sequence[str] = (),
) -> None:
    """Write rows as CSV, and the same as a page for the report. Empty fields show as –."""
    write_rows(csv_path, rows, columns)
    with Path(csv_path).open(encoding="utf-8", newline="") as file:
        head, *body = csv.reader(file)
    lines = [_line("th", head), *(_line("td", fields) for fields in body)]
    page = "<table>\n" + "\n".join(lines) + "\n</table>\n"
    write_text(html_path, f'<!doctype html><meta charset="utf-8">{STYLE}{page}')


def _line(tag: str, fields: Iterable[str]) -> str:
    return "<tr>" + "".join(map(_cell, [tag] * len(fields), fields)) + "</tr>"


def _cell(tag: str, text: str) -> str:
    kind = ' class="missing"' if text == MISSING else ""
    return f"<{tag}{kind}>{html.escape(readable(text))}</{tag}>"


def readable(text: str) -> str:
    """A CSV field for a reader: 4 digits of a fraction, whole numbers whole, – for none."""
    value = _value(text)
    if isinstance(value, float):
        return "–" if value != value else f"{value:.4g}"
    return text


def concatenate(
    paths: Iterable[str | Path],
    keys: Sequence[Mapping] | None = None,
    absent: Container[str] = (),
) -> list[dict]:
    """Rows of several CSV files with the same columns, in order, with their ``status``.

    keys: what names each file's rows, beside ``paths``. A file in ``absent`` is not
    read: one row with its keys alone stands for it, as missing.
    Raises ``ValueError`` where the columns differ.
    """
    paths = [str(path) for path in paths]
    parts = {path: _part(path) for path in paths if path not in absent}
    columns = next((columns for columns, _ in parts.values()), None)
    for path, (found, _) in parts.items():
        if found != columns:
            raise ValueError(f"{path} has columns {found}, not {columns}")
    if columns is None:  # of keys alone
        columns = list(dict.fromkeys(name for key in keys or [{}] for name in key))
    rows = []
    for path, key in zip(paths, keys or [{}] * len(paths), strict=True):
        if path in parts:
            rows += [{**row, "status": MEASURED} for row in parts[path][1]]
        else:
            rows.append({**dict.fromkeys(columns, ""), **key, "status": MISSING})
    return rows


def _part(path: str) -> tuple[list[str], list[dict]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or []), list(reader)
