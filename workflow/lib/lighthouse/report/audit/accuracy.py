"""Means and deviations of accuracy, reckoned again from the single trainings."""

import math
from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import NAN, Claim, Results, grouped, key, named, same, slack
from lighthouse.report.audit.numbers import (
    Runs,
    accuracies,
    as_array,
    deviation,
    mean,
    of_shared_students,
    sums_of_squares,
)
from lighthouse.report.audit.rows import BOARD, SET, TRAINING
from lighthouse.tables import CELL, MEASURED, MISSING, NOT_RUN

#: Columns of the accuracy table by what the leaderboard calls them.
AS_IN_ACCURACY = {
    "top1_mean": "top1_last_mean",
    "top1_std": "top1_last_std",
    "top1_best_mean": "top1_best_mean",
    "n_seeds": "n_seeds",
    "n_students": "n_students",
}
KEYS = {"tables/accuracy.csv": TRAINING, "tables/leaderboard.csv": BOARD}


def accuracy_of_runs(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Means, deviations and variance components of accuracy.csv are those of runs.csv."""
    table = "tables/accuracy.csv"
    last, best = (
        accuracies(results.rows("tables/runs.csv"), f"top1_{w}") for w in ("last", "best")
    )
    for row in results.rows(table):
        place = key(row, TRAINING)
        runs, values = last.get(place, {}), _values(last.get(place, {}), best.get(place, {}))
        yield from _claims(table, row, values, runs)


def leaderboard_of_runs(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Means, deviations and variance components of the leaderboard are those of runs.csv."""
    table = "tables/leaderboard.csv"
    last, best = (
        accuracies(results.rows("tables/runs.csv"), f"top1_{w}") for w in ("last", "best")
    )
    cells = {key(spec, SET): spec for spec in grid["leaderboard"] if spec["run"]}
    for row in results.rows(table):
        cell = cells.get(key(row, SET), {})
        place = key({**row, **{name: cell.get(name, NAN) for name in CELL}}, TRAINING)
        runs, values = last.get(place, {}), _values(last.get(place, {}), best.get(place, {}))
        values = {name: values[column] for name, column in AS_IN_ACCURACY.items()}
        if row["status"] != NOT_RUN:
            values["status"] = MEASURED if runs else MISSING
        yield from _claims(table, row, values, runs)


def _values(last: Runs, best: Runs) -> dict[str, object]:
    """The columns that are reckoned from a cell's trainings; empty of none."""
    last_values, best_values = list(last.values()), list(best.values())
    n_seeds, n_students = (len({pair[i] for pair in last}) or NAN for i in (0, 1))
    return {
        "n_seeds": n_seeds,
        "n_students": n_students,
        "top1_last_mean": mean(last_values),
        "top1_last_std": deviation(last_values),
        "top1_best_mean": mean(best_values),
        "status": MEASURED if last else MISSING,
    }


def _claims(table: str, row: Mapping, values: Mapping, runs: Runs) -> Iterator[Claim]:
    yield from same(table, row, KEYS[table], values, behind=runs.values())
    for column, (expected, rounding) in components(runs).items():
        yield Claim(table, named(row, KEYS[table]), column, row[column], expected, rounding)


def components(runs: Runs) -> dict[str, tuple[float, float]]:
    """The deviations between sets and between students of a set, each with its ``slack``.

    One-way random effects by the mean squares; of one student a set, or of none, neither can
    be told, of one set only the students'.
    """
    n, k = (len({pair[i] for pair in runs}) for i in (0, 1))
    if k < 2:
        return {"std_sets": (NAN, 0.0), "std_students": (NAN, 0.0)}
    between, within = sums_of_squares(as_array(runs))
    step = slack(*runs.values())
    students = (math.sqrt(within), step)
    if n < 2:
        return {"std_sets": (NAN, 0.0), "std_students": students}
    # A root of a difference of squares: near 0 a little in them is much in it.
    of_sets = max(0.0, (between - within) / k)
    doubt = 2 * step * (math.sqrt(between / k) + math.sqrt(within / k)) + step**2
    low, high = math.sqrt(max(0.0, of_sets - doubt)), math.sqrt(of_sets + doubt)
    root = math.sqrt(of_sets)
    return {"std_sets": (root, max(root - low, high - root)), "std_students": students}


def ablation_of_runs(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Means and deviations of the ablation are over the students that all its rows have."""
    table = "tables/ablation.csv"
    for row, runs in shared_runs(results, grid):
        values = list(runs.values())
        n_seeds, n_students = (len({pair[i] for pair in runs}) or NAN for i in (0, 1))
        expected = {
            "n_seeds": n_seeds,
            "n_students": n_students,
            "top1_mean": mean(values),
            "top1_std": deviation(values),
            "status": MEASURED if runs else MISSING,
        }
        yield from same(table, row, BOARD, expected, behind=values)


def shared_runs(results: Results, grid: Mapping) -> list[tuple[Mapping, Runs]]:
    """Each row of the ablation with its trainings of the students that every set of its table has.

    A table is of one dataset, student and protocol.
    """
    last = accuracies(results.rows("tables/runs.csv"))
    cells = {key(spec, SET): spec for spec in grid["ablation"]}
    found = []
    by_table = ("dataset", "student", "protocol")
    for rows in grouped(results.rows("tables/ablation.csv"), by_table).values():
        own = [last.get(key({**cells.get(key(row, SET), {}), **row}, TRAINING), {}) for row in rows]
        found += zip(rows, of_shared_students(own), strict=True)
    return found
