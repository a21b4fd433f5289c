"""Student accuracy: every training, and each cell's mean with its two sources of variance."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

from lighthouse.report.statistics import components, deviation
from lighthouse.report.tables import Table
from lighthouse.tables import CELL, MEASURED, MISSING, NAN

KEYS = (*CELL, "student", "protocol")
RUN_COLUMNS = (*KEYS, "seed", "student_seed", "top1_last", "top1_best", "status")
COLUMNS = (
    *KEYS,
    "n_seeds",
    "n_students",
    "top1_last_mean",
    "top1_last_std",
    "std_sets",
    "std_students",
    "top1_best_mean",
    "best_chosen_on",
    "status",
)


def accuracy_tables(records: Sequence[Mapping | None], rows: Sequence[Mapping]) -> dict:
    """Every training, and the accuracy of students by cell. records: of each row, or None."""
    pairs = list(zip(rows, records, strict=True))
    runs = [run for row, record in pairs for run in run_rows(row, record)]
    table = [accuracy_row(row, record) for row, record in pairs]
    return {"runs": Table(runs, RUN_COLUMNS), "table": Table(table, COLUMNS)}


def run_rows(row: Mapping, record: Mapping | None) -> list[dict]:
    """A row for each training of a record, accuracies in %; one row where there is no record.

    row: what names the cell, the student and the protocol (``KEYS``).
    """
    keys = {name: row[name] for name in KEYS}
    if record is None:
        return [_padded(keys, RUN_COLUMNS)]
    return [
        {
            **keys,
            "seed": run["seed"],
            "student_seed": run["student_seed"],
            "top1_last": 100 * run["last"],
            "top1_best": 100 * run["best"],
            "status": MEASURED,
        }
        for run in record["runs"]
    ]


def accuracy_row(row: Mapping, record: Mapping | None) -> dict:
    """The row of one cell, student and protocol. Accuracies in %.

    Two things vary: the distilled set, by its sampling seed, and the student, by its
    own. ``top1_last_std`` is the sample standard deviation over all trainings, both in
    one; ``std_sets`` and ``std_students`` part them (``statistics.components``).
    ``best_chosen_on`` is the part on which the best epoch was chosen: ``test`` is the
    field's habit, and flatters; ``none``, where the protocol asks for no looks and the best
    is the last.
    """
    keys = {name: row[name] for name in KEYS}
    if record is None:
        return _padded(keys, COLUMNS)
    sets = defaultdict(list)
    for run in record["runs"]:
        sets[run["seed"]].append(100 * run["last"])
    std_sets, std_students = components(list(sets.values()))
    last = [value for values in sets.values() for value in values]
    return {
        **keys,
        "n_seeds": len(sets),
        "n_students": len(last) // len(sets),
        "top1_last_mean": statistics.fmean(last),
        "top1_last_std": deviation(last),
        "std_sets": std_sets,
        "std_students": std_students,
        "top1_best_mean": statistics.fmean(100 * run["best"] for run in record["runs"]),
        "best_chosen_on": record["best_chosen_on"],
        "status": MEASURED,
    }


def _padded(keys: Mapping, columns: Sequence[str]) -> dict:
    return {**dict.fromkeys(columns, NAN), **keys, "status": MISSING}
