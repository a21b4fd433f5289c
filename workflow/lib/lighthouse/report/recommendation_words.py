"""The recommendation in sentences, from the rows of its table. The end of a run reads this."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lighthouse.tables import MEASURED, MISSING

PLACE = ("dataset", "protocol", "student", "ipc")
#: Coresets with which every recommendation is compared, if the study has them.
REFERENCES = ("random", "herding")


class Advice(NamedTuple):
    """What to take at one IPC. take: the row, None where none is measured; lines: sentences."""

    dataset: str
    protocol: str
    student: str
    ipc: int
    take: Mapping | None
    lines: list[str]
    rows: Sequence[Mapping]

    @property
    def board(self) -> str:
        """Of which dataset, student and protocol it is."""
        return f"{self.dataset}, student {self.student}, protocol {self.protocol}"


def advice(rows: Sequence[Mapping]) -> list[Advice]:
    """Rows of the table of recommendations, in words."""
    places: dict[tuple, list[Mapping]] = {}
    for row in rows:
        places.setdefault(tuple(row[name] for name in PLACE), []).append(row)
    return [Advice(*place, _taken(own), _lines(own), own) for place, own in places.items()]


def _taken(rows: Sequence[Mapping]) -> Mapping | None:
    return next((row for row in rows if row["taken"] == "yes"), None)


def _lines(rows: Sequence[Mapping]) -> list[str]:
    take, measured = _taken(rows), [row for row in rows if row["status"] == MEASURED]
    lost = ", ".join(row["label"] for row in rows if row["status"] == MISSING)
    missing = [f"Missing, because a computation failed: {lost}."] if lost else []
    ipc = rows[0]["ipc"]
    if take is None:
        return [f"At IPC {ipc} there is nothing to take: no set is measured.", *missing]
    other = rival(measured, take)
    named = [row for row in measured if _coreset(row) in REFERENCES]
    compared = [row for row in named if row is not take and row is not other]
    return [
        f"At IPC {ipc} take {take['label']}: {take['top1_mean']:.1f} % of the test images right. "
        f"{_chosen(take, len(measured))}",
        _against(take, other),
        *_first_on_test(take, measured),
        *(f"{row['label']} {_has(row)}: {how_far(row)}." for row in compared),
        *missing,
    ]


def rival(measured: Sequence[Mapping], take: Mapping) -> Mapping | None:
    """The best row of the other kind: of real images where synthetic ones are taken."""
    others = [row for row in measured if bool(_coreset(row)) != bool(_coreset(take))]
    return max(others, key=score, default=None)


def score(row: Mapping) -> float:
    """What a row is chosen by, %."""
    return row["top1_val"] if row["chosen_on"] == "val" else row["top1_mean"]


def _chosen(take: Mapping, n: int) -> str:
    if n == 1:
        return "It is the only set that was measured."
    if take["chosen_on"] == "val":
        return f"It is first of {n} on the validation images ({take['top1_val']:.1f} %)."
    return (
        f"It is first of {n} on the test images themselves, for there are no validation images: "
        "its figure flatters it."
    )


def _first_on_test(take: Mapping, measured: Sequence[Mapping]) -> list[str]:
    """Which row is first on the test images, where it is another than the one that is taken."""
    first = max(measured, key=lambda row: row["top1_mean"])
    if first["top1_mean"] <= take["top1_mean"]:
        return []
    return [f"First on the test images is {first['label']} ({first['top1_mean']:.1f} %)."]


def _against(take: Mapping, other: Mapping | None) -> str:
    """How the taken row stands to the best of the other kind."""
    if _coreset(take):
        if other is None:
            return "There is no synthetic set to compare these real images with."
        part = "validation" if take["chosen_on"] == "val" else "test"
        return (
            f"These are real images: no synthetic set is above them on the {part} images. "
            f"The best of those, {other['label']}, {_has(other)}: {how_far(other)}."
        )
    if other is None:
        return "There is no set of real images to compare it with."
    return f"The best of real images, {other['label']}, {_has(other)}: {how_far(other)}."


def _has(row: Mapping) -> str:
    return f"has {row['top1_mean']:.1f} %"


def how_far(row: Mapping) -> str:
    """How far a row is from the one that is taken, and whether that is more than chance."""
    n, over = row["n_pairs"], row["over"]
    if row["verdict"] == "not distinguishable" and not row["difference"]:
        return "no difference"
    text = f"{abs(row['difference']):.1f} points {'more' if row['difference'] < 0 else 'less'}"
    pairs = f"{n:.0f} replicates" if over == "replicates" else f"{n:.0f} sets of one replicate"
    if row["ci_low"] == row["ci_low"]:
        bounds = f"{signed(row['ci_low'])} to {signed(row['ci_high'])} at 95 %, over {pairs}"
        sure = row["verdict"] in ("better", "worse")
        told = "more than chance" if sure else "which may be chance"
        return f"{text}, {told} (advantage of the taken: {bounds})"
    if n < 2:
        return f"{text}, not tested: one set cannot tell that from chance"
    return f"{text}, not tested: {pairs} that differ by the same amount leave nothing to test by"


def signed(value: float) -> str:
    """A number of points, to a tenth, with its sign as printed."""
    return f"{value:+.1f}".replace("-", "−")


def _coreset(row: Mapping) -> str:
    """How a row's real images were picked; "" of synthetic ones (an empty field of a file)."""
    return row["coreset"] if isinstance(row["coreset"], str) else ""
