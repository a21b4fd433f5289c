"""The claims as people read them: sentences, Markdown and a page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lighthouse.parts.measures import MEASURES
from lighthouse.report.rendering import render

#: Verdicts in the order in which they are counted.
VERDICTS = ("holds", "does not hold", "undecided", "missing")


class Line(NamedTuple):
    """A claim in words. kind: the verdict as the class of a field."""

    says: str
    place: str
    measured: str
    effect: str
    p: str
    verdict: str
    detectable: str

    @property
    def kind(self) -> str:
        """The verdict as a word without blanks."""
        return self.verdict.replace(" ", "-")


class Family(NamedTuple):
    """The claims of one dataset, and how they ended."""

    dataset: str
    summary: str
    lines: list[Line]


def markdown(rows: Sequence[Mapping], alpha: float) -> str:
    """All claims as Markdown that GitHub shows, a table a dataset."""
    return render("claims.md.j2", families=families(rows), alpha=alpha)


def page(rows: Sequence[Mapping], alpha: float) -> str:
    """All claims as a page."""
    return render("claims.html.j2", families=families(rows), alpha=alpha)


def families(rows: Sequence[Mapping]) -> list[Family]:
    """Rows of the table of claims by dataset, in words."""
    found = []
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        own = [row for row in rows if row["dataset"] == dataset]
        found.append(Family(dataset, summary(own), [line(row) for row in own]))
    return found


def summary(rows: Sequence[Mapping]) -> str:
    """How many claims ended how: ``Of 15 claims, 6 hold, 2 do not hold, 7 are undecided.``"""
    plural = {"holds": "hold", "does not hold": "do not hold"}
    counts = Counter(row["verdict"] for row in rows)
    parts = []
    for verdict in VERDICTS:
        if not (count := counts[verdict]):
            continue
        verb = verdict if count == 1 else plural.get(verdict, verdict)
        is_ = "" if verdict in plural else "is " if count == 1 else "are "
        parts.append(f"{count} {is_}{verb}")
    total = len(rows)
    return f"Of {total} claim{'s' if total > 1 else ''}, {', '.join(parts)}."


def line(row: Mapping) -> Line:
    """A row of the table of claims in words."""
    return Line(
        row["says"],
        row["place"],
        measured(row),
        effect(row),
        _p(row),
        row["verdict"],
        number(row["detectable"]),
    )


def measured(row: Mapping) -> str:
    """What was measured, and where: ``top-1, IPC 5: 87.8, 84.9``."""
    label = f"{MEASURES[row['measure']].label}, IPC {row['ipc']}"
    if _text(row["along"]):
        return f"{label}, along {row['along']}"
    if row["value_of"] != row["value_of"]:
        return label
    values = (number(row[name], digits=4) for name in ("value_of", "value_against"))
    return f"{label}: {', '.join(values)}"


def effect(row: Mapping) -> str:
    """The difference with its interval, its unit and what is to be noted of it."""
    if row["effect"] != row["effect"]:
        return _text(row["note"]) or "–"
    text = number(row["effect"], signed=True)
    if row["ci_low"] == row["ci_low"]:
        bounds = (number(row[bound], signed=True) for bound in ("ci_low", "ci_high"))
        text += f" ({' to '.join(bounds)})"
    with_unit = f"{text} {_text(row['unit'])}".strip()
    return "; ".join(filter(None, (with_unit, _text(row["note"]))))


def number(value: float, signed: bool = False, digits: int = 3) -> str:
    """A number at so many digits, – for none, with a minus as printed."""
    if value != value:
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}g}".replace("-", "−")


def _p(row: Mapping) -> str:
    if row["basis"] == "count":
        return "counted"
    return number(row["p_holm"])


def _text(value: object) -> str:
    """Words of a field, none where a CSV file has it empty."""
    return value if isinstance(value, str) else ""
