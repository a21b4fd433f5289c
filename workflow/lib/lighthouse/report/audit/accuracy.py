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
    mean_squares,
    of_shared_students,
)
from lighthouse.report.audit.rows import BOARD, SET, TRAINING
from lighthouse.tables import CELL, MEASURED, MISSING, NOT_RUN

#: Columns of the accuracy table by what the leaderboard calls them.
AS_IN_ACCURACY = {
    "top1_mean": "top1_last_mean",
    "top1_std": "top1_last_std",
    "top1_best_mean": "top1_best_mean",
    "n_replicates": "n_replicates",
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
    n_replicates, n_seeds, n_students = counts(last)
    return {
        "n_replicates": n_replicates,
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


def counts(runs: Runs) -> tuple[float, float, float]:
    """How many replicates, sets and students of a set there are; NaN of no training."""
    found = (len({training[i] for training in runs}) or NAN for i in range(3))
    return tuple(found)


def components(runs: Runs) -> dict[str, tuple[float, float]]:
    """The deviations between replicates, sets of one and students of one, each with its ``slack``.

    Nested random effects by the mean squares; what is one source with the next cannot be told.
    """
    names = ("std_replicates", "std_sets", "std_students")
    if not runs:
        return dict.fromkeys(names, (NAN, 0.0))
    array, step = as_array(runs), slack(*runs.values())
    between, of_sets, within = mean_squares(array)
    _, s, k = array.shape
    roots = (
        _root(between, of_sets if s > 1 else within, s * k, step),
        _root(of_sets, within, k, step),
        (math.sqrt(within), step),
    )
    return dict(zip(names, roots, strict=True))


def _root(upper: float, lower: float, share: int, step: float) -> tuple[float, float]:
    """A deviation by two mean squares, and its slack.

    A root of a difference of squares: near 0 a little in them is much in it.
    """
    if math.isnan(upper) or math.isnan(lower):
        return NAN, 0.0
    variance = max(0.0, (upper - lower) / share)
    doubt = 2 * step * (math.sqrt(upper / share) + math.sqrt(lower / share)) + step**2
    low, high = math.sqrt(max(0.0, variance - doubt)), math.sqrt(variance + doubt)
    root = math.sqrt(variance)
    return root, max(root - low, high - root)


def ablation_of_runs(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Means and deviations of the ablation are over the students that all its rows have."""
    table = "tables/ablation.csv"
    for row, runs in shared_runs(results, grid):
        values = list(runs.values())
        _, n_seeds, n_students = counts(runs)
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
