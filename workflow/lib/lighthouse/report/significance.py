"""Which differences of accuracy are more than chance, method against method."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lighthouse.report.statistics import MISSING, Paired, holm, paired, verdict
from lighthouse.report.tables import Table
from lighthouse.report.trainings import Trainings, paired_differences, trainings
from lighthouse.tables import NAN, cell_key

#: What one table is of.
FAMILY = ("dataset", "student", "protocol")
#: What is corrected together: the comparisons of one column of that table. A reader
#: compares methods at one IPC; the chance of any error is held there, not over all IPCs.
CORRECTED = (*FAMILY, "ipc")
COLUMNS = (
    *FAMILY,
    "ipc",
    "method",
    "against",
    *Paired._fields,
    "p_holm",
    "verdict",
)


def compare(found: Trainings, one: Mapping, other: Mapping, student: str, protocol: str) -> Paired:
    """A cell against another one, by the trainings that both have (``paired_differences``)."""
    first, second = (found.get((cell_key(c), student, protocol), {}) for c in (one, other))
    return paired(list(paired_differences(first, second).values()))


def judged(rows: Sequence[dict], alpha: float) -> list[dict]:
    """Rows with ``p_holm`` and ``verdict``, corrected within each ``CORRECTED``.

    A row without a pair misses one of its sides.
    """
    tested = defaultdict(list)
    for row in rows:
        tested[tuple(row[name] for name in CORRECTED)].append(row["p"])
    adjusted = {family: iter(holm(values)) for family, values in tested.items()}
    done = []
    for row in rows:
        p = next(adjusted[tuple(row[name] for name in CORRECTED)])
        found = verdict(row["difference"], p, alpha) if row["n_pairs"] else MISSING
        done.append({**row, "p_holm": p, "verdict": found})
    return done


def significance_table(
    runs: Sequence[Mapping],
    cells: Sequence[Mapping],
    base: str | None,
    pairs: Sequence[Sequence[str]],
    alpha: float,
) -> dict:
    """The table of ``significance_rows``."""
    return {"table": Table(significance_rows(runs, cells, base, pairs, alpha), COLUMNS)}


def significance_rows(
    runs: Sequence[Mapping],
    cells: Sequence[Mapping],
    base: str | None,
    pairs: Sequence[Sequence[str]],
    alpha: float,
) -> list[dict]:
    """Every method against the base at each IPC, and the named pairs, in the order of cells.

    cells: those compared, of the study's own weights, so that no row of a sweep enters.
    A comparison exists where the study trains a student on both sides; where one of them
    failed, its verdict says so.
    """
    found, asked = trainings(runs), trained(runs)
    table = {(c["dataset"], c["ipc"], c["method"]): c for c in cells}
    rows = []
    for dataset, student, protocol in families(runs, cells):
        for (place, ipc, method), cell in table.items():
            if place != dataset:
                continue
            rivals = [base, *(against for one, against in pairs if one == method)]
            for against in dict.fromkeys(rivals):
                other = table.get((dataset, ipc, against))
                if other is None or against == method:
                    continue
                if not {(cell_key(c), student, protocol) for c in (cell, other)} <= asked:
                    continue
                result = compare(found, cell, other, student, protocol)
                rows.append(
                    {
                        **dict(zip(FAMILY, (dataset, student, protocol), strict=True)),
                        "ipc": ipc,
                        "method": method,
                        "against": against,
                        **result._asdict(),
                        "p_holm": NAN,
                        "verdict": "",
                    }
                )
    return judged(rows, alpha)


def trained(runs: Iterable[Mapping]) -> set[tuple]:
    """Every (cell, student, protocol) that the study trains, failed or not."""
    return {(cell_key(run), run["student"], run["protocol"]) for run in runs}


def families(runs: Iterable[Mapping], cells: Iterable[Mapping]) -> list[tuple]:
    """The families in which a cell was trained, or should have been, in the runs' order."""
    wanted = {cell_key(cell) for cell in cells}
    found = (tuple(run[name] for name in FAMILY) for run in runs if cell_key(run) in wanted)
    return list(dict.fromkeys(found))
