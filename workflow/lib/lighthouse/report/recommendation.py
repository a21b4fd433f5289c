"""Which set to take at each number of images per class, and what can be said of the choice."""

import statistics
from collections.abc import Mapping, Sequence

from lighthouse.report.accuracy import run_rows
from lighthouse.report.recommendation_pages import markdown, page
from lighthouse.report.recommendation_words import score
from lighthouse.report.significance import compare
from lighthouse.report.statistics import MISSING, Paired, verdict
from lighthouse.report.tables import Table
from lighthouse.report.trainings import Trainings, trainings
from lighthouse.tables import MEASURED, NAN

#: What one choice is of.
PLACE = ("dataset", "protocol", "student", "ipc")
COLUMNS = (
    *PLACE,
    "method",
    "label",
    "coreset",
    "chosen_on",
    "top1_val",
    "top1_mean",
    "taken",
    "seed",
    "over",
    *Paired._fields,
    "verdict",
    "status",
)
#: The parts on which a choice is made.
VAL, TEST = "val", "test"
#: What is paired in a comparison: whole replicates or, of one replicate, its sets.
REPLICATES, SETS = "replicates", "sets"
#: ``verdict`` of the row that is taken.
TAKEN = "taken"


def recommendation_table(
    records: Sequence[Mapping | None],
    rows: Sequence[Mapping],
    replicates: Mapping[int, int],
    alpha: float,
) -> dict:
    """The table of ``recommendation_rows``, and the same for readers."""
    found = recommendation_rows(records, rows, replicates, alpha)
    return {
        "table": Table(found, COLUMNS),
        "markdown": markdown(found),
        "page": page(found),
    }


def recommendation_rows(
    records: Sequence[Mapping | None],
    rows: Sequence[Mapping],
    replicates: Mapping[int, int],
    alpha: float,
) -> list[dict]:
    """Every method at each dataset, protocol, student and IPC, and which of them is ``taken``.

    records: of students, of each row, or None. rows: ``KEYS``, ``label`` and ``coreset``, the name
    of how real images were picked, None of synthetic ones. replicates: that of each set, by its
    sampling seed. alpha: level of the verdicts.

    The choice is made on the validation part where there is one (``chosen_on``), by the mean of
    the last epoch over all trainings (``top1_val``, %), and told on the test part (``top1_mean``).
    ``seed``: the set of a method that is first on that part. ``difference``: the taken row less
    this one on the test part, points, paired ``over`` replicates; of one replicate over its sets,
    which says nothing of another prior. The verdict is that of the taken row, and is corrected for
    nothing.
    """
    runs = [
        run
        for row, record in zip(rows, records, strict=True)
        for run in run_rows(row, record, replicates)
    ]
    over = REPLICATES if len(set(replicates.values())) > 1 else SETS
    if over == SETS:
        runs = [{**run, "replicate": run["seed"]} for run in runs]
    found = trainings(runs)
    places: dict[tuple, list[tuple]] = {}
    for row, record in zip(rows, records, strict=True):
        places.setdefault(tuple(row[name] for name in PLACE), []).append((row, record))
    return [filled for group in places.values() for filled in _of_place(group, found, over, alpha)]


def _of_place(group: Sequence[tuple], found: Trainings, over: str, alpha: float) -> list[dict]:
    """The rows of one choice."""
    part = chosen_on([record for _, record in group if record is not None])
    scored = [_scored(row, record, part) for row, record in group]
    best = taken(scored)
    if best is None:
        return scored
    cells = [cell for cell, _ in group]
    first = next(cell for cell, row in zip(cells, scored, strict=True) if row is best)
    for row, cell in zip(scored, cells, strict=True):
        if row is best:
            row |= {"taken": "yes", "verdict": TAKEN}
        elif row["status"] == MEASURED:
            result = compare(found, first, cell, row["student"], row["protocol"])
            decided = verdict(result.difference, result.p, alpha)
            row |= {**result._asdict(), "over": over, "verdict": decided}
    return scored


def chosen_on(records: Sequence[Mapping]) -> str:
    """The part on which sets are chosen: validation where all students were scored on it."""
    told = all(run.get("last_val") is not None for record in records for run in record["runs"])
    return VAL if told else TEST


def taken(rows: Sequence[Mapping]) -> Mapping | None:
    """The row to take: the first on the part that decides, a synthetic one only if above all real.

    None where none is measured. Of equal ones the first.
    """
    measured = [row for row in rows if row["status"] == MEASURED]
    best = max(measured, key=score, default=None)
    if best is None or best["coreset"]:
        return best
    real = [row for row in measured if row["coreset"]]
    level = [row for row in real if score(row) >= score(best)]
    return level[0] if level else best


def _scored(row: Mapping, record: Mapping | None, part: str) -> dict:
    names = {name: row[name] for name in (*PLACE, "method", "label")}
    filled = {**dict.fromkeys(COLUMNS, NAN), **names, "coreset": row["coreset"] or ""}
    if record is None:
        return {
            **filled,
            "taken": "no",
            "over": "",
            "chosen_on": "",
            "verdict": MISSING,
            "status": MISSING,
        }
    key = "last_val" if part == VAL else "last"
    sets: dict[int, list[float]] = {}
    for run in record["runs"]:
        sets.setdefault(run["seed"], []).append(100 * run[key])
    return {
        **filled,
        "chosen_on": part,
        "top1_val": _mean(record, "last_val") if part == VAL else NAN,
        "top1_mean": _mean(record, "last"),
        "taken": "no",
        "seed": max(sets, key=lambda seed: statistics.fmean(sets[seed])),
        "over": "",
        "verdict": "",
        "status": MEASURED,
    }


def _mean(record: Mapping, key: str) -> float:
    return statistics.fmean(100 * run[key] for run in record["runs"])
