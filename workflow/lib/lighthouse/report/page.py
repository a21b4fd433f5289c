"""The leaderboard as a page of its own: findings first, then the tables, then what they mean."""

import html
from collections.abc import Mapping, Sequence

from lighthouse.config.grid import ALL
from lighthouse.report.sheets import Entry, Sheet
from lighthouse.tables import MEASURED, MISSING, NOT_RUN

STYLE = """<style>
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 66em; margin: 1.5em auto;
  padding: 0 1.2em }
h1 { font-size: 1.5em; margin: 0 0 0.4em }
h2 { font-size: 1.1em; margin: 2em 0 0.5em }
ul.findings { font-size: 1.05em; padding-left: 1.2em; margin: 0.4em 0 1em }
div.wide { overflow-x: auto }
table { border-collapse: collapse; border-top: 2px solid #333; border-bottom: 2px solid #333 }
th, td { padding: 0.3em 0.9em; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums }
th { border-bottom: 1px solid #333 }
th[colspan] { text-align: center }
th:first-child, td:first-child { text-align: left }
tbody tr:nth-child(even) td { background: #f5f5f5 }
tr.ceiling td { border-top: 1px solid #333; background: #fff; text-align: center }
tr.ceiling td:first-child { text-align: left }
td.missing { color: #b00020; font-weight: 600 }
td.not-run { color: #767676; font-style: italic }
span.mark { display: inline-block; width: 1em; margin-left: 0.25em; text-align: center }
td.published { text-align: left; padding-left: 0; font-size: 0.8em; color: #666 }
ol, ul.notes { color: #444; font-size: 0.87em; padding-left: 1.4em }
ol { list-style: none; padding-left: 0.4em }
details { margin: 1em 0 } summary { cursor: pointer }
details table { font-size: 0.88em } details th, details td { padding: 0.25em 0.55em }
</style>
"""

#: Columns of the leaderboard beside accuracy, their headings and formats.
BESIDE = {
    "coverage": ("coverage", "{:.3f}"),
    "precision": ("precision", "{:.3f}"),
    "recall": ("recall", "{:.3f}"),
    "density": ("density", "{:.3f}"),
    "log_det": ("log det K", "{:.3g}"),
    "ssim": ("SSIM", "{:.3f}"),
    "fid": ("Fréchet distance", "{:.4g}"),
    "kid": ("KID", "{:.3g}"),
    "seconds_per_image": ("seconds an image", "{:.3g}"),
}


#: What is said of the distances, with the name of the features.
DISTANCES = (
    "Fréchet distance and KID: means over the sets, of one set each, in the features of {}. "
    "Compare them at equal IPC only."
)


def page(sheets: Sequence[Sheet], rows: Sequence[Mapping], summary: Sequence[str]) -> str:
    """The whole page; needs nothing beside it. summary: findings over all sheets."""
    several = len(sheets) > 1
    parts = ["<h1>Leaderboard</h1>", _list(summary, "findings") if several else ""]
    for sheet in sheets:
        parts += [
            f"<h2>{html.escape(sheet.title)}</h2>",
            _list(sheet.headline, "findings"),
            _table(sheet),
            _list(sheet.notes, "notes"),
            _sources(sheet),
            _beside(sheet, rows),
        ]
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<title>Leaderboard</title>\n'
        + STYLE
        + "\n".join(part for part in parts if part)
        + "\n</html>\n"
    )


def _list(lines: Sequence[str], kind: str) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f'<ul class="{kind}">{items}</ul>'


def _sources(sheet: Sheet) -> str:
    items = "".join(
        f"<li><sup>{letter}</sup> {html.escape(text)}</li>" for letter, text in sheet.sources
    )
    return f"<ol>{items}</ol>" if items else ""


def _table(sheet: Sheet) -> str:
    # A published figure stands in a column of its own, so that the measured ones align.
    width = 2 if any(entry.published for _, own in sheet.lines for entry in own) else 1
    wide = f' colspan="{width}"' if width > 1 else ""
    head = "<th>Method</th>" + "".join(f"<th{wide}>IPC {ipc}</th>" for ipc in sheet.ipcs)
    body = [
        f"<tr><td>{html.escape(label)}</td>{''.join(_entries(entries, width))}</tr>"
        for label, entries in sheet.lines
    ]
    if sheet.ceiling:
        label, entry = sheet.ceiling
        span = f' colspan="{width * len(sheet.ipcs)}"'
        own = f"<td{_kind(entry.status)}{span}>{_value(entry)} {_published(entry)}</td>"
        body.append(f'<tr class="ceiling"><td>{html.escape(label)}</td>{own}</tr>')
    return _framed(head, body)


def _framed(head: str, body: Sequence[str]) -> str:
    rows = "\n".join(body)
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _entries(entries: Sequence[Entry], width: int) -> list[str]:
    """Cells of a line: the measured figure and, in tables of that width, the published one."""
    cells = []
    for entry in entries:
        cells.append(f"<td{_kind(entry.status)}>{_value(entry)}</td>")
        if width > 1:
            cells.append(f'<td class="published">{_published(entry)}</td>')
    return cells


def _value(entry: Entry) -> str:
    value = html.escape(entry.value)
    if entry.best:
        value = f"<b>{value}</b>"
    return f'{value}<span class="mark">{entry.mark}</span>' if entry.status == MEASURED else value


def _published(entry: Entry) -> str:
    return f"{entry.published}<sup>{entry.note}</sup>" if entry.published else ""


def _kind(status: str) -> str:
    return "" if status == MEASURED else f' class="{status.replace(" ", "-")}"'


def _beside(sheet: Sheet, rows: Sequence[Mapping]) -> str:
    """What was measured beside accuracy, a table an IPC, folded; of columns with a value."""
    board = (sheet.dataset, sheet.protocol, sheet.student)
    own = [
        row
        for row in rows
        if (row["dataset"], row["protocol"], row["student"]) == board and row["ipc"] != ALL
    ]
    columns = [name for name in BESIDE if any(row[name] == row[name] for row in own)]
    if not columns:
        return ""
    head = "".join(f"<th>{text}</th>" for text in ("Method", *(BESIDE[c][0] for c in columns)))
    tables = []
    for ipc in sheet.ipcs:
        body = [_beside_row(row, columns) for row in own if row["ipc"] == ipc]
        tables.append(f"<h3>IPC {ipc}</h3>{_framed(head, body)}")
    extractors = dict.fromkeys(row["extractor"] for row in own if isinstance(row["extractor"], str))
    features = html.escape(", ".join(extractors))
    note = f"<p>{DISTANCES.format(features)}</p>" if features else ""
    return (
        "<details><summary>Diversity, Fréchet distance and cost of the same sets</summary>"
        f"{note}{''.join(tables)}</details>"
    )


def _beside_row(row: Mapping, columns: Sequence[str]) -> str:
    fields = "".join(_measure(row, name) for name in columns)
    return f"<tr><td>{html.escape(row['label'])}</td>{fields}</tr>"


def _measure(row: Mapping, name: str) -> str:
    value = row[name]
    if value == MISSING:
        return f"<td{_kind(MISSING)}>{MISSING}</td>"
    if value == value:
        return f"<td>{BESIDE[name][1].format(value).replace('-', '−')}</td>"
    status = row["status"] if row["status"] == NOT_RUN else MEASURED
    return f"<td{_kind(status)}>{'–' if status == MEASURED else status}</td>"
