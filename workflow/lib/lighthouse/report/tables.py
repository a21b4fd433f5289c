"""Tables as pages of the report, and the rows of the guidance table."""

import csv
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lighthouse.runtime.files import whole
from lighthouse.tables import MISSING, parsed, write_rows


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


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
    value = parsed(text)
    if isinstance(value, float):
        return "–" if value != value else f"{value:.4g}"
    return text
