"""What figures show, against the tables that they are drawn from."""

from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import (
    NAN,
    Claim,
    Results,
    grouped,
    key,
    known,
    measured,
    named,
    same,
)
from lighthouse.report.audit.numbers import (
    Runs,
    accuracies,
    deviation,
    mean,
    of_shared_students,
)
from lighthouse.report.audit.rows import TRAINING, is_ceiling
from lighthouse.report.audit.spectra import band
from lighthouse.tables import CELL, MEASURED, MISSING

PANEL = ("dataset", "student", "protocol")
POINT = (*PANEL, "method", "ipc")
SWEPT = (*PANEL, "factor", "value")
ACCURACY_VS_IPC, SENSITIVITY, SSIM = (
    f"figures/{name}.csv" for name in ("accuracy_vs_ipc", "sensitivity", "ssim_vs_eta_dpp")
)


def accuracy_vs_ipc(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Accuracy against IPC shows every measured row of the leaderboard, as it is there."""
    columns = ("label", "top1_mean", "top1_std", "n_seeds", "n_students")
    drawn = grouped(results.rows(ACCURACY_VS_IPC), POINT)
    for rows in grouped(measured(results.rows("tables/leaderboard.csv")), PANEL).values():
        shown = int(not all(map(is_ceiling, rows)))
        for row in rows:
            found = drawn.pop(key(row, POINT), [])
            yield Claim(ACCURACY_VS_IPC, named(row, POINT), "rows", len(found), shown)
            for one in found:
                expected = {name: row[name] for name in columns}
                yield from same(ACCURACY_VS_IPC, one, POINT, expected)
    for left in drawn.values():
        yield Claim(ACCURACY_VS_IPC, named(left[0], POINT), "rows", len(left), 0)


def sensitivity(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Curves of sensitivity are of the students that all points have, and of diversity.csv."""
    if SENSITIVITY not in results.tables:
        return
    last = accuracies(results.rows("tables/runs.csv"))
    sets = grouped(measured(results.rows("tables/diversity.csv")), CELL)
    drawn = grouped(results.rows(SENSITIVITY), SWEPT)
    for points in _panels(grid):
        runs = of_shared_students([last.get(key(point, TRAINING), {}) for point in points])
        for point, own in zip(points, runs, strict=True):
            found = drawn.pop(key(point, SWEPT), [])
            yield Claim(SENSITIVITY, named(point, SWEPT), "rows", len(found), 1)
            coverage = known(row["coverage"] for row in sets.get(key(point, CELL), ()))
            for row in found:
                yield from _point(row, point, own, coverage)
    for left in drawn.values():
        yield Claim(SENSITIVITY, named(left[0], SWEPT), "rows", len(left), 0)


def _point(row: Mapping, point: Mapping, runs: Runs, coverage: list[float]) -> Iterator[Claim]:
    values = list(runs.values())
    accuracy = {"top1_last_mean": mean(values), "top1_last_std": deviation(values)}
    light = {"coverage_mean": mean(coverage), "coverage_std": deviation(coverage)}
    counts = {
        "n_seeds": len({seed for _, seed, _ in runs}) or NAN,
        "n_students": len({student for *_, student in runs}) or NAN,
        "at_table": str(point["at_table"]),
        "status": MEASURED if runs else MISSING,
    }
    yield from same(SENSITIVITY, row, SWEPT, counts)
    yield from same(SENSITIVITY, row, SWEPT, accuracy, behind=values)
    yield from same(SENSITIVITY, row, SWEPT, light, behind=coverage)


def _panels(grid: Mapping) -> list[list[dict]]:
    """The points of each panel of the sweeps: of a dataset, student and protocol.

    A point is a cell with what names the point; a student that is trained at the table's
    values alone has no curve.
    """
    trained = {key(training, TRAINING) for training in grid["trainings"]}
    panels = []
    for (dataset, student, protocol), _ in grouped(grid["trainings"], PANEL).items():
        place = {"dataset": dataset, "student": student, "protocol": protocol}
        points = [
            {**point, **place}
            for point in _points(grid, dataset)
            if key({**point, **place}, TRAINING) in trained
        ]
        if not all(point["at_table"] for point in points):
            panels.append(points)
    return panels


def _points(grid: Mapping, dataset: str) -> list[dict]:
    """Each value of each number that the sweep moves, the others at the tables'."""
    return [point for point in grid["sweep"]["points"] if point["dataset"] == dataset]


def ssim_curve(results: Results, grid: Mapping) -> Iterator[Claim]:
    """SSIM against the DPP weight is means and deviations over the seeds of diversity.csv."""
    if SSIM not in results.tables:
        return
    by = ("dataset", "eta_dpp")
    sets = grouped(measured(results.rows("tables/diversity.csv")), CELL)
    drawn = grouped(results.rows(SSIM), by)
    swept = [p for p in grid["sweep"]["points"] if p["factor"] == "eta_dpp"]
    for point in ({**p, "eta_dpp": p["value"]} for p in swept):
        values = known(row["ssim"] for row in sets.get(key(point, CELL), ()))
        found = drawn.pop(key(point, by), [])
        yield Claim(SSIM, named(point, by), "rows", len(found), 1)
        for row in found:
            yield from same(SSIM, row, by, band(values), behind=values)
    for left in drawn.values():
        yield Claim(SSIM, named(left[0], by), "rows", len(left), 0)
