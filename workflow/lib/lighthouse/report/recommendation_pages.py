"""The recommendation as people read it: sentences and a table for each IPC."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lighthouse.report.recommendation_words import Advice, advice, signed
from lighthouse.report.rendering import render
from lighthouse.tables import MEASURED, MISSING


class Line(NamedTuple):
    """One method: what was measured of it, and how far the taken row is from it."""

    label: str
    val: str
    test: str
    difference: str
    verdict: str

    @property
    def kind(self) -> str:
        """The verdict as a word without blanks."""
        return self.verdict.replace(" ", "-")


class Choice(NamedTuple):
    """One IPC: its sentences, and a line a method."""

    ipc: int
    sentences: list[str]
    lines: list[Line]


def markdown(rows: Sequence[Mapping]) -> str:
    """All recommendations as Markdown that GitHub shows."""
    return render("recommendation.md.j2", boards=boards(rows))


def page(rows: Sequence[Mapping]) -> str:
    """All recommendations as a page."""
    return render("recommendation.html.j2", boards=boards(rows))


def boards(rows: Sequence[Mapping]) -> dict[str, list[Choice]]:
    """The choices of each dataset, student and protocol, by its title; IPCs rising."""
    found: dict[str, list[Choice]] = {}
    for one in sorted(advice(rows), key=lambda one: one.ipc):
        found.setdefault(one.board, []).append(_choice(one))
    return found


def _choice(one: Advice) -> Choice:
    return Choice(one.ipc, one.lines, [line(row) for row in one.rows])


def line(row: Mapping) -> Line:
    """A row of the table in words."""
    if row["status"] != MEASURED:
        return Line(row["label"], MISSING, MISSING, "–", MISSING)
    bounds = ""
    if row["ci_low"] == row["ci_low"]:
        bounds = f" ({signed(row['ci_low'])} to {signed(row['ci_high'])})"
    compared = row["difference"] == row["difference"]
    return Line(
        row["label"],
        _number(row["top1_val"]),
        _number(row["top1_mean"]),
        f"{signed(row['difference'])}{bounds}" if compared else "–",
        row["verdict"],
    )


def _number(value: float) -> str:
    return f"{value:.1f}" if value == value else "–"
