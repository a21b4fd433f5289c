"""The leaderboard as people read it: HTML, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lighthouse.config.grid import ALL
from lighthouse.report.label_robust import score_rows
from lighthouse.report.leaderboard import COLUMNS, board_of, elsewhere, leaderboard_rows
from lighthouse.report.rendering import render
from lighthouse.report.sheets import Comparison, Entry, Sheet, overall, sheets
from lighthouse.report.tables import Table
from lighthouse.tables import MISSING, NOT_RUN

#: Columns of the leaderboard beside accuracy, their headings and formats.
BESIDE = {
    "hlr": ("HLR", "{:.1f}"),
    "ior": ("IOR", "{:+.1f}"),
    "lrs": ("LRS", "{:.1f}"),
    "coverage": ("coverage", "{:.3f}"),
    "precision": ("precision", "{:.3f}"),
    "recall": ("recall", "{:.3f}"),
    "density": ("density", "{:.3f}"),
    "recognised": ("recognised", "{:.3f}"),
    "nearest_latent": ("nearest real, latents", "{:.3f}"),
    "nearest_feature": ("nearest real, features", "{:.3f}"),
    "log_det": ("log det K", "{:.3g}"),
    "ssim": ("SSIM", "{:.3f}"),
    "fid": ("Fréchet distance", "{:.4g}"),
    "kid": ("KID", "{:.3g}"),
    "seconds_per_image": ("seconds an image", "{:.3g}"),
    "tuning_seconds": ("seconds of tuning", "{:.3g}"),
}


def leaderboard(
    runs: Sequence[Mapping],
    accuracy: Sequence[Mapping],
    significance: Sequence[Mapping],
    diversity: Sequence[Mapping],
    fid: Sequence[Mapping],
    cost: Sequence[Mapping],
    published: Sequence[Mapping],
    specs: Sequence[Mapping],
    students: Sequence[str],
    labels: Mapping[str, Mapping | str | None],
    base: str | None,
    alpha: float,
) -> dict:
    """Every system in one table, and the same for readers (``leaderboard_rows``).

    labels: what the label-robust score compares with (``label_robust.score_rows``).
    """
    tables = {
        "accuracy": accuracy,
        "significance": significance,
        "scores": score_rows(runs, specs, labels),
        "diversity": diversity,
        "fid": fid,
        "cost": cost,
        "published": published,
    }
    rows = leaderboard_rows(specs, tables, students, base)
    comparison = Comparison.of(specs, base, alpha)
    found = sheets(rows, comparison, elsewhere(specs, published, rows))
    return {
        "table": Table(rows, COLUMNS),
        "markdown": markdown(found),
        "latex": latex(found),
        "page": page(found, rows, overall(rows, comparison)),
    }


def page(sheets: Sequence[Sheet], rows: Sequence[Mapping], summary: Sequence[str]) -> str:
    """The leaderboard as a page, with nothing beside it: findings, tables, what they mean.

    summary: findings over all sheets.
    """
    with_measures = [(sheet, _measures(sheet, rows)) for sheet in sheets]
    return render("leaderboard.html.j2", sheets=with_measures, summary=summary)


def markdown(sheets: Sequence[Sheet]) -> str:
    """All sheets as Markdown that GitHub shows: a heading, the findings, the table, the notes."""
    return render("leaderboard.md.j2", sheets=sheets)


def latex(sheets: Sequence[Sheet]) -> str:
    """All sheets as LaTeX tables (booktabs), each with its notes as a caption."""
    return render("leaderboard.tex.j2", sheets=sheets)


@dataclass(frozen=True)
class Measures:
    """What was measured beside accuracy. tables: (IPC, (label, an entry a heading) a line)."""

    headings: list[str]
    extractors: list[str]
    tables: list[tuple[int, list[tuple[str, list[Entry]]]]]


def _measures(sheet: Sheet, rows: Sequence[Mapping]) -> Measures | None:
    """A table an IPC, of the columns that have a value; None where none has."""
    board = (sheet.dataset, sheet.protocol, sheet.student)
    own = [row for row in rows if board_of(row) == board and row["ipc"] != ALL]
    columns = [name for name in BESIDE if any(row[name] == row[name] for row in own)]
    if not columns:
        return None
    extractors = dict.fromkeys(row["extractor"] for row in own if isinstance(row["extractor"], str))
    tables = [
        (
            ipc,
            [(r["label"], [_measure(r, name) for name in columns]) for r in own if r["ipc"] == ipc],
        )
        for ipc in sheet.ipcs
    ]
    return Measures([BESIDE[name][0] for name in columns], list(extractors), tables)


def _measure(row: Mapping, name: str) -> Entry:
    value = row[name]
    if value == MISSING:
        return Entry(MISSING, MISSING)
    if value == value:
        return Entry(BESIDE[name][1].format(value).replace("-", "−"))
    return Entry(NOT_RUN, NOT_RUN) if row["status"] == NOT_RUN else Entry("–")
