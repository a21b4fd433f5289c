"""Student accuracy: every training, and each cell's mean with its two sources of variance."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

from lighthouse.report.statistics import components, deviation
from lighthouse.report.tables import Table
from lighthouse.tables import CELL, MEASURED, MISSING, NAN

KEYS = (*CELL, "student", "protocol")
RUN_COLUMNS = (*KEYS, "replicate", "seed", "student_seed", "top1_last", "top1_best", "status")
COLUMNS = (
    *KEYS,
    "n_replicates",
    "n_seeds",
    "n_students",
    "top1_last_mean",
    "top1_last_std",
    "std_replicates",
    "std_sets",
    "std_students",
    "top1_best_mean",
    "best_chosen_on",
    "status",
)


def accuracy_tables(
    records: Sequence[Mapping | None], rows: Sequence[Mapping], replicates: Mapping[int, int]
) -> dict:
    """Every training, and the accuracy of students by cell.

    records: of each row, or None. replicates: that of each set, by its sampling seed.
    """
    pairs = list(zip(rows, records, strict=True))
    runs = [run for row, record in pairs for run in run_rows(row, record, replicates)]
    table = [accuracy_row(row, record, replicates) for row, record in pairs]
    return {"runs": Table(runs, RUN_COLUMNS), "table": Table(table, COLUMNS)}


def run_rows(row: Mapping, record: Mapping | None, replicates: Mapping[int, int]) -> list[dict]:
    """A row for each training of a record, accuracies in %; one row where there is no record.

    row: what names the cell, the student and the protocol (``KEYS``). The one set of all real
    images has the seed 0, and is a replicate by itself.
    """
    keys = {name: row[name] for name in KEYS}
    if record is None:
        return [_padded(keys, RUN_COLUMNS)]
    return [
        {
            **keys,
            "replicate": replicates.get(run["seed"], run["seed"]),
            "seed": run["seed"],
            "student_seed": run["student_seed"],
            "top1_last": 100 * run["last"],
            "top1_best": 100 * run["best"],
            "status": MEASURED,
        }
        for run in record["runs"]
    ]


def accuracy_row(row: Mapping, record: Mapping | None, replicates: Mapping[int, int]) -> dict:
    """The row of one cell, student and protocol. Accuracies in %.

    Three things vary: what is trained in a replicate, the distilled set, by its sampling seed,
    and the student, by its own. ``top1_last_std`` is the sample standard deviation over all
    trainings, all in one; ``std_replicates``, ``std_sets`` and ``std_students`` part them
    (``statistics.components``). ``n_seeds`` counts the sets.
    ``best_chosen_on`` is the part on which the best epoch was chosen: ``test`` is the
    field's habit, and flatters; ``none``, where the protocol asks for no looks and the best
    is the last.
    """
    keys = {name: row[name] for name in KEYS}
    if record is None:
        return _padded(keys, COLUMNS)
    sets: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in record["runs"]:
        of = replicates.get(run["seed"], run["seed"])
        sets[of][run["seed"]].append(100 * run["last"])
    parted = components([list(of_one.values()) for of_one in sets.values()])
    last = [100 * run["last"] for run in record["runs"]]
    n_seeds = sum(map(len, sets.values()))
    return {
        **keys,
        "n_replicates": len(sets),
        "n_seeds": n_seeds,
        "n_students": len(last) // n_seeds,
        "top1_last_mean": statistics.fmean(last),
        "top1_last_std": deviation(last),
        **{f"std_{source}": value for source, value in parted._asdict().items()},
        "top1_best_mean": statistics.fmean(100 * run["best"] for run in record["runs"]),
        "best_chosen_on": record["best_chosen_on"],
        "status": MEASURED,
    }


def _padded(keys: Mapping, columns: Sequence[str]) -> dict:
    return {**dict.fromkeys(columns, NAN), **keys, "status": MISSING}
