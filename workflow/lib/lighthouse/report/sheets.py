"""The leaderboard as a reader sees it: one sheet a dataset, protocol and student.

A sheet holds words alone, which ``pages`` sets as Markdown, LaTeX and HTML.
"""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lighthouse.config.grid import ALL, CEILINGS
from lighthouse.report.label_robust import GIVEN
from lighthouse.report.leaderboard import board_of, is_protocol, root_mean_square
from lighthouse.report.recommendation_words import signed
from lighthouse.report.statistics import ALIKE, BETTER, UNTESTED, WORSE
from lighthouse.tables import MEASURED, MISSING, NOT_RUN

#: Marks behind a figure, by the verdict on its difference from the base.
MARKS = {BETTER: "↑", WORSE: "↓", ALIKE: "≈"}


@dataclass(frozen=True)
class Comparison:
    """What is compared with what.

    base: label of the row that the others are compared with, None where the study has
    none. real: methods whose images are real ones. alpha: level of the verdicts.
    """

    base: str | None
    real: frozenset[str]
    alpha: float

    @classmethod
    def of(cls, specs: Iterable[Mapping], base: str | None, alpha: float) -> "Comparison":
        """That of a leaderboard's ``specs``. base: a method, or None."""
        label = next((spec["label"] for spec in specs if spec["method"] == base), None)
        return cls(label, frozenset(spec["method"] for spec in specs if spec["real"]), alpha)


@dataclass(frozen=True)
class Entry:
    """One figure: ``value`` as text, a mark, and a published figure with its note's letter."""

    value: str
    status: str = MEASURED
    best: bool = False
    mark: str = ""
    published: str = ""
    note: str = ""


@dataclass
class Sheet:
    """One table. lines: (label, an entry an IPC); ceilings: (label, the one entry), shown last.

    scores: (label, a label-robust score an IPC, – where there is none), empty where no row has one;
    about_scores: what they are of.
    """

    dataset: str
    protocol: str
    student: str
    ipcs: list[int]
    lines: list[tuple[str, list[Entry]]]
    ceilings: list[tuple[str, Entry]]
    headline: list[str]
    notes: list[str]
    sources: list[tuple[str, str]] = field(default_factory=list)
    scores: list[tuple[str, list[str]]] = field(default_factory=list)
    about_scores: str = ""

    @property
    def title(self) -> str:
        """Heading of the table."""
        return f"{self.dataset}, student {self.student}, protocol {self.protocol}"

    @property
    def slug(self) -> str:
        """What it is called in a label of LaTeX."""
        words = f"{self.dataset}-{self.student}-{self.protocol}"
        return re.sub(r"[^a-z0-9]+", "-", words.lower())

    @property
    def has_published(self) -> bool:
        """Whether a published figure stands beside one of its own, the ceilings' aside."""
        return any(entry.published for _, own in self.lines for entry in own)


def sheets(
    rows: Sequence[Mapping], comparison: Comparison, published: Mapping[tuple, Sequence[Mapping]]
) -> list[Sheet]:
    """The leaderboard's rows as sheets, in their order.

    published: by (dataset, protocol, student), figures for methods that have no row.
    """
    boards: dict[tuple, list[Mapping]] = {}
    for row in rows:
        boards.setdefault(board_of(row), []).append(row)
    return [
        _sheet(board, own, comparison, published.get(board, ())) for board, own in boards.items()
    ]


def _sheet(
    board: tuple, rows: Sequence[Mapping], comparison: Comparison, others: Sequence[Mapping]
) -> Sheet:
    ipcs = sorted({row["ipc"] for row in rows if row["ipc"] != ALL})
    letters = _letters(rows)
    best = {
        ipc: max((_score(r) for r in _synthetic(rows, ipc, comparison)), default=0) for ipc in ipcs
    }
    labels = {row["method"]: row["label"] for row in rows}
    lines: dict[str, dict] = {}
    ceilings = []
    for row in rows:
        entry = _entry(row, letters)
        if row["method"] in CEILINGS:
            ceilings.append((row["label"], entry))
            continue
        if row["method"] not in comparison.real and _score(row) == best[row["ipc"]]:
            entry = replace(entry, best=entry.status == MEASURED)
        lines.setdefault(row["method"], {})[row["ipc"]] = entry
    none = Entry(NOT_RUN, NOT_RUN)
    return Sheet(
        *board,
        ipcs,
        [(labels[name], [found.get(ipc, none) for ipc in ipcs]) for name, found in lines.items()],
        ceilings,
        headline(rows, comparison),
        _notes(rows, board[1], comparison, others),
        [(letter, _source(*key, board[1])) for key, letter in letters.items()],
        _scores(rows, ipcs),
        _about_scores(rows, board[1]),
    )


def _entry(row: Mapping, letters: Mapping[tuple, str]) -> Entry:
    measured = row["status"] == MEASURED
    value = plus_minus(row["top1_mean"], row["top1_std"]) if measured else row["status"]
    mark = MARKS.get(row["verdict"], "") if measured else ""
    if row["published"] != row["published"]:
        return Entry(value, row["status"], mark=mark)
    figure = plus_minus(row["published"], row["published_std"])
    return Entry(value, row["status"], False, mark, figure, letters[_key(row)])


def _scores(rows: Sequence[Mapping], ipcs: Sequence[int]) -> list[tuple[str, list[str]]]:
    """The label-robust scores of all lines, in their order."""
    if not any(row["lrs"] == row["lrs"] for row in rows):
        return []
    found: dict[str, dict] = {}
    for row in rows:
        if row["method"] not in CEILINGS:
            known = row["lrs"] == row["lrs"]
            text = plus_minus(row["lrs"], row["lrs_std"]) if known else "–"
            found.setdefault(row["method"], {})[row["ipc"]] = text
    labels = {row["method"]: row["label"] for row in rows}
    return [(labels[name], [own.get(ipc, "–") for ipc in ipcs]) for name, own in found.items()]


def _about_scores(rows: Sequence[Mapping], protocol: str) -> str:
    """What the label-robust scores of a board compare; all of its rows compare with the same."""
    row = next((row for row in rows if row["lrs"] == row["lrs"]), None)
    if row is None:
        return ""
    given = ", as the config gives it" if row["full_hard_from"] == GIVEN else ""
    return (
        "Label-robust score, in % (0 to 100): mean ± sample standard deviation over replicates. It "
        "rises with how far a set's accuracy is above that of as many random real images, under "
        f"protocol “{protocol}”. It falls with how far its accuracy is below that of all real "
        f"images ({row['full_hard']:.1f} %{given}), under protocol “{row['hard_protocol']}”, whose "
        "labels are hard. A set that equals random images in the first and all real images in the "
        "second has 26.9 %."
    )


def plus_minus(mean: float, std: float) -> str:
    """A mean with its deviation, to a tenth; the mean alone where there is no deviation."""
    return f"{mean:.1f}" if std != std else f"{mean:.1f} ± {std:.1f}"


def _score(row: Mapping) -> float:
    return row["top1_mean"] if row["status"] == MEASURED else -1.0


def _synthetic(rows: Iterable[Mapping], ipc: int, comparison: Comparison) -> list[Mapping]:
    """Measured rows of made images at one IPC."""
    return [
        row
        for row in rows
        if row["ipc"] == ipc and row["status"] == MEASURED and row["method"] not in comparison.real
    ]


def _key(row: Mapping) -> tuple[str, str]:
    return row["published_source"], row["published_protocol"]


def _letters(rows: Iterable[Mapping]) -> dict[tuple, str]:
    """A letter for each published source and protocol, in the order of the rows."""
    found = dict.fromkeys(_key(row) for row in rows if row["published"] == row["published"])
    return dict(zip(found, string.ascii_lowercase, strict=False))


def _source(source: str, protocol: str, own: str) -> str:
    """A source, with its protocol where it is another than the sheet's."""
    return source if is_protocol(own, protocol) else f"{source}; under {protocol}, not {own}"


def headline(rows: Sequence[Mapping], comparison: Comparison) -> list[str]:
    """Which synthetic set is best at each IPC, against the base; then what is missing."""
    sentences = []
    for ipc in sorted({row["ipc"] for row in rows if row["ipc"] != ALL}):
        made = _synthetic(rows, ipc, comparison)
        if not made:
            sentences.append(f"At IPC {ipc}, no synthetic set is measured.")
            continue
        best = max(made, key=_score)
        text = f"At IPC {ipc}, {best['label']} has the highest mean ({best['top1_mean']:.1f} %)"
        sentences.append(f"{text}{_against(best, comparison)}{_real(rows, best, comparison)}.")
    lost = [row for row in rows if row["status"] == MISSING]
    if lost:
        names = ", ".join(dict.fromkeys(row["label"] for row in lost))
        sentences.append(f"Missing, because a computation failed: {names}.")
    return sentences


def _against(best: Mapping, comparison: Comparison) -> str:
    """How the best row compares with the base; nothing where it is the base."""
    if best["verdict"] == ALIKE:
        return f", not distinguishable from {comparison.base} ({signed(best['difference'])} points)"
    if best["verdict"] in (BETTER, WORSE):
        points = f"{abs(best['difference']):.1f} points, p = {best['p_holm']:.2g}"
        return f", {best['verdict']} than {comparison.base} ({points})"
    if best["verdict"] == UNTESTED:
        points = f"{signed(best['difference'])} points against {comparison.base}"
        return f", {points}, not tested ({_why_untested(best)})"
    return ""


def _why_untested(row: Mapping) -> str:
    """Why a difference from the base was not tested."""
    alone = row["n_replicates"] == 1
    return "one replicate cannot tell it from chance" if alone else "nothing to test it by"


def _real(rows: Iterable[Mapping], best: Mapping, comparison: Comparison) -> str:
    """Whether a set of real images of the same size does better."""
    found = [
        row
        for row in rows
        if row["ipc"] == best["ipc"]
        and row["method"] in comparison.real
        and row["status"] == MEASURED
    ]
    ahead = max(found, key=_score, default=best)
    if _score(ahead) <= _score(best):
        return ""
    return f"; {ahead['label']} has {ahead['top1_mean']:.1f} %, more than any synthetic set"


def _notes(
    rows: Sequence[Mapping], protocol: str, comparison: Comparison, others: Sequence[Mapping]
) -> list[str]:
    measured = [row for row in rows if row["status"] == MEASURED]
    notes = [_about_spread(measured, protocol)]
    shown = {row["verdict"] for row in measured}
    if comparison.base and shown & MARKS.keys():
        words = ", ".join(f"{MARKS[v]} {v}" for v in (BETTER, WORSE, ALIKE) if v in shown)
        other = words.replace(f"{MARKS[ALIKE]} {ALIKE}", f"{MARKS[ALIKE]} {ALIKE} from it")
        notes.append(
            f"Against {comparison.base}: {other}; paired t-test over replicates, "
            f"corrected by Holm over the comparisons of one column, at {comparison.alpha:g}. "
            "Exploratory: what the study was to decide are its claims."
        )
    if comparison.base and UNTESTED in shown:
        notes.append(
            f"No mark: not tested against {comparison.base}. A test is over replicates, and one "
            "replicate, or several that differ by the same amount, cannot tell a difference from "
            "chance, however large it is. What sets of one replicate can tell is in the table "
            "of recommendations."
        )
    notes.append("Bold: the highest mean of a synthetic set, which need not be more than chance.")
    if any(row["published"] == row["published"] for row in rows):
        notes.append(
            "Small: published for this cell, not measured here; by other code, and mostly of "
            "the best epoch chosen on the test data. Sources are below."
        )
    for ipcs, labels in _left_out(rows).items():
        at = "" if ALL in ipcs else f" at IPC {', '.join(map(str, ipcs))}"
        notes.append(f"“{NOT_RUN}”: this study leaves out {', '.join(labels)}{at}.")
    if any(row["status"] == MISSING for row in rows):
        notes.append(f"“{MISSING}”: the computation failed, or has not been repeated since.")
    if others:
        figures = ", ".join(
            f"{row['method']} {plus_minus(row['top1'], row['std'])} (IPC {row['ipc']})"
            for row in others
        )
        sources = "; ".join(dict.fromkeys(row["source"] for row in others))
        notes.append(f"Published elsewhere, without a row here: {figures}. {sources}.")
    return notes


#: Sources of variance, as a note names them.
SOURCES = {"replicates": "replicates", "sets": "sets in one", "students": "students of a set"}


def _about_spread(measured: Sequence[Mapping], protocol: str) -> str:
    """What ± is, and how much of it comes from replicates, from sets and from students."""
    counts = dict.fromkeys(
        (row["n_replicates"], row["n_seeds"] // row["n_replicates"], row["n_students"])
        for row in measured
        if row["method"] not in CEILINGS
    )
    trainings = " or ".join(" × ".join(map(str, count)) for count in counts)
    text = (
        "Top-1 accuracy (%) on the real test images after the last epoch: mean ± sample "
        f"standard deviation over {trainings} trainings (replicates × sets in each × "
        "students a set), "
        f"protocol {protocol}."
    )
    text += "".join(
        f" {row['label']}: over {row['n_students']} trainings."
        for row in measured
        if row["method"] in CEILINGS
    )
    parts = {name: root_mean_square(measured, f"std_{name}") for name in SOURCES}
    # Of one set a replicate the two are one source, and the first stands for both.
    said = [f"{SOURCES[name]} {part:.1f}" for name, part in parts.items() if part == part]
    if said:
        text += f" The spread by source, in points: {', '.join(said)} (root mean square over rows)."
    return text


def _left_out(rows: Iterable[Mapping]) -> dict[tuple, list[str]]:
    """Labels of what is not run, by the IPCs at which it is not."""
    found: dict[str, list] = {}
    for row in rows:
        if row["status"] == NOT_RUN:
            found.setdefault(row["label"], []).append(row["ipc"])
    grouped: dict[tuple, list[str]] = {}
    for label, ipcs in found.items():
        grouped.setdefault(tuple(ipcs), []).append(label)
    return grouped


def overall(rows: Sequence[Mapping], comparison: Comparison) -> list[str]:
    """Over several sheets: how often each method is best, and how often better than the base."""
    cells: dict[tuple, list[Mapping]] = {}
    for row in rows:
        if row["ipc"] != ALL:
            cells.setdefault((*board_of(row), row["ipc"]), []).append(row)
    wins: dict[str, list[str]] = {}
    for (*_, ipc), own in cells.items():
        made = _synthetic(own, ipc, comparison)
        if made:
            best = max(made, key=_score)
            wins.setdefault(best["label"], []).append(best["verdict"])
    said = []
    for label, verdicts in sorted(wins.items(), key=lambda item: -len(item[1])):
        text = (
            f"{label} has the highest mean of the synthetic sets in {len(verdicts)} of "
            f"{len(cells)} comparisons"
        )
        if set(verdicts) & MARKS.keys():
            text += f", {BETTER} than {comparison.base} in {verdicts.count(BETTER)} of them"
        said.append(f"{text}.")
    lost = sum(row["status"] == MISSING for row in rows)
    return [*said, f"{lost} of {len(rows)} rows are missing."] if lost else said
