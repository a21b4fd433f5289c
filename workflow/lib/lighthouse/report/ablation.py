"""What each part of the method adds: factors on and off, in one table."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from lighthouse.report.significance import compare, families, judged
from lighthouse.report.statistics import deviation
from lighthouse.report.tables import Table
from lighthouse.report.trainings import shared_students, trainings
from lighthouse.tables import CELL, MEASURED, MISSING, NAN, cell_key

MEASURES = (
    "log_det",
    "coverage",
    "precision",
    "recall",
    "density",
    "recognised",
    "nearest_latent",
    "nearest_feature",
    "ssim",
)
#: Verdict of the row that the others are compared with.
REFERENCE = "reference"


def columns(rows: Sequence[Mapping]) -> tuple[str, ...]:
    """The table's columns. rows: as ``ablation_rows`` has them, all with the same ``factors``."""
    return (
        "dataset",
        "ipc",
        "student",
        "protocol",
        "method",
        *rows[0]["factors"],
        "coupling",
        "n_seeds",
        "n_students",
        "top1_mean",
        "top1_std",
        "difference",
        "p_holm",
        "verdict",
        *MEASURES,
        "status",
    )


def ablation_table(
    runs: Sequence[Mapping],
    diversity: Sequence[Mapping],
    rows: Sequence[Mapping],
    students: Sequence[str],
    alpha: float,
) -> dict:
    """The table of ``ablation_rows``."""
    done = ablation_rows(runs, diversity, rows, students, alpha)
    return {"table": Table(done, columns(rows))}


def ablation_rows(
    runs: Sequence[Mapping],
    diversity: Sequence[Mapping],
    rows: Sequence[Mapping],
    students: Sequence[str],
    alpha: float,
) -> list[dict]:
    """The ablation, in the order of ``rows``, for each of ``students`` and every protocol.

    rows: cells (``CELL``) with ``factors`` (which parts they have, yes or no), ``coupling``,
    and ``plain``: a prior that is tuned for nothing, without guidance. Of each dataset and IPC
    the first plain one is the reference: ``difference`` is a row's mean accuracy less the
    reference's, over the seeds of both, in percentage points.
    One table is of a dataset, student and protocol. Its means, deviations and differences
    are over the ``n_students`` a set that all its measured rows have (``shared_students``), on
    the ``n_seeds`` sets of a row; ``p_holm`` is corrected over its comparisons.
    """
    done = []
    for dataset, student, protocol in families(runs, rows):
        if student not in students:
            continue
        own = [row for row in rows if row["dataset"] == dataset]
        found = trainings(_of_shared_students(runs, own, student, protocol))
        for row in own:
            reference = next((r for r in own if r["ipc"] == row["ipc"] and r["plain"]), None)
            measured = found.get((cell_key(row), student, protocol), {})
            result = {"difference": NAN, "p": NAN, "n_pairs": 0}
            if reference is not None and row is not reference:
                result = compare(found, row, reference, student, protocol)._asdict()
            done.append(
                {
                    **{key: row[key] for key in ("dataset", "ipc", "method", "coupling")},
                    **row["factors"],
                    "student": student,
                    "protocol": protocol,
                    **_accuracy(measured),
                    **seed_average(diversity, row, MEASURES),
                    **{name: result[name] for name in ("difference", "p", "n_pairs")},
                    "status": MEASURED if measured else MISSING,
                    "fixed": _fixed(row, reference, bool(measured)),
                }
            )
    shown = columns(rows)
    return [_row(row, shown) for row in judged(done, alpha)]


def _of_shared_students(
    runs: Iterable[Mapping], rows: Sequence[Mapping], student: str, protocol: str
) -> list[Mapping]:
    """The trainings of one table whose students all of its measured rows have."""
    cells, own = {cell_key(row) for row in rows}, (student, protocol)
    runs = [r for r in runs if cell_key(r) in cells and (r["student"], r["protocol"]) == own]
    shared = shared_students(runs)
    return [run for run in runs if run["student_seed"] in shared]


def _accuracy(measured: Mapping[tuple[int, int], float]) -> dict:
    """Mean and deviation of a row's trainings by (seed, student seed), and how many there are."""
    values = list(measured.values())
    return {
        "n_seeds": len({seed for _, seed, _ in measured}) or NAN,
        "n_students": len({student_seed for *_, student_seed in measured}) or NAN,
        "top1_mean": statistics.fmean(values) if values else NAN,
        "top1_std": deviation(values),
    }


def seed_average(table: Iterable[Mapping], cell: Mapping, columns: Iterable[str]) -> dict:
    """Means over seeds of a cell's rows of the diversity table; NaN where there is none."""
    key = cell_key(cell)
    found = [row for row in table if all(name in row for name in CELL) and cell_key(row) == key]
    return {name: average(row.get(name, NAN) for row in found) for name in columns}


def average(values: Iterable[float]) -> float:
    """Mean of those that are numbers; NaN of none."""
    known = [value for value in values if value == value]
    return statistics.fmean(known) if known else NAN


def _fixed(row: Mapping, reference: Mapping | None, measured: bool) -> str | None:
    """The verdict of a row that is compared with nothing; None of one that is."""
    if reference is None:
        return ""
    return REFERENCE if row is reference and measured else None


def _row(row: Mapping, shown: Sequence[str]) -> dict:
    found = row["verdict"] if row["fixed"] is None else row["fixed"]
    return {**{name: row[name] for name in shown}, "verdict": found}
