"""What each part of the method adds: factors on and off, in one table."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from lighthouse.report.significance import compare, families, judged, seed_means
from lighthouse.report.statistics import deviation
from lighthouse.report.tables import CELL, MEASURED, MISSING, NAN, cell_key

FACTORS = ("rsm", "dpp", "mean")
MEASURES = ("log_det", "coverage", "ssim")
COLUMNS = (
    "dataset",
    "ipc",
    "student",
    "protocol",
    "method",
    *FACTORS,
    "coupling",
    "top1_mean",
    "top1_std",
    "difference",
    "p_holm",
    "verdict",
    *MEASURES,
    "status",
)
#: Verdict of the row that the others are compared with.
REFERENCE = "reference"


def ablation_rows(
    runs: Sequence[Mapping],
    diversity: Sequence[Mapping],
    rows: Sequence[Mapping],
    students: Sequence[str],
    alpha: float,
) -> list[dict]:
    """The ablation, in the order of ``rows``, for each of ``students`` and every protocol.

    rows: cells (``CELL``) with ``rsm``, ``dpp``, ``mean`` (yes or no) and ``coupling``. Of
    each dataset and IPC the first with no factor is the reference: ``difference`` is a
    row's mean accuracy less the reference's, over the seeds of both, in percentage points.
    ``p_holm`` is corrected over this table's comparisons of a dataset, student and protocol.
    """
    means = seed_means(runs)
    done = []
    for dataset, student, protocol in families(runs, rows):
        if student not in students:
            continue
        own = [row for row in rows if row["dataset"] == dataset]
        for row in own:
            reference = next((r for r in own if r["ipc"] == row["ipc"] and not _any(r)), None)
            values = [
                run["top1_last"]
                for run in runs
                if (cell_key(run), run["student"], run["protocol"])
                == (cell_key(row), student, protocol)
                and run["status"] == MEASURED
            ]
            result = {"difference": NAN, "p": NAN, "n_pairs": 0}
            if reference is not None and row is not reference:
                result = compare(means, row, reference, student, protocol)._asdict()
            done.append(
                {
                    **{key: row[key] for key in ("dataset", "ipc", "method", "coupling", *FACTORS)},
                    "student": student,
                    "protocol": protocol,
                    "top1_mean": statistics.fmean(values) if values else NAN,
                    "top1_std": deviation(values),
                    **seed_average(diversity, row, MEASURES),
                    **{name: result[name] for name in ("difference", "p", "n_pairs")},
                    "status": MEASURED if values else MISSING,
                    "fixed": _fixed(row, reference, bool(values)),
                }
            )
    return [_row(row) for row in judged(done, alpha)]


def seed_average(table: Iterable[Mapping], cell: Mapping, columns: Iterable[str]) -> dict:
    """Means over seeds of a cell's rows of the diversity table; NaN where there is none."""
    key = cell_key(cell)
    found = [row for row in table if all(name in row for name in CELL) and cell_key(row) == key]
    return {name: average(row.get(name, NAN) for row in found) for name in columns}


def average(values: Iterable[float]) -> float:
    """Mean of those that are numbers; NaN of none."""
    known = [value for value in values if value == value]
    return statistics.fmean(known) if known else NAN


def _any(row: Mapping) -> bool:
    return any(row[name] == "yes" for name in FACTORS)


def _fixed(row: Mapping, reference: Mapping | None, measured: bool) -> str | None:
    """The verdict of a row that is compared with nothing; None of one that is."""
    if reference is None:
        return ""
    return REFERENCE if row is reference and measured else None


def _row(row: Mapping) -> dict:
    found = row["verdict"] if row["fixed"] is None else row["fixed"]
    return {**{name: row[name] for name in COLUMNS}, "verdict": found}
