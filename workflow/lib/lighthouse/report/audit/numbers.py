"""Formulas of the audit's own: means, deviations, variance components, tests, corrections."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from lighthouse.report.audit.claims import NAN, key, measured
from lighthouse.tables import CELL

#: Percentage points below which a deviation or a difference counts as none, as documented in
#: ``report.statistics``: half a unit of what 6 digits keep of an accuracy in %.
NONE_BELOW = 5e-4
CONFIDENCE = 0.95

#: Accuracies by (sampling seed, student seed).
Runs = dict[tuple[int, int], float]


def mean(values: Sequence[float]) -> float:
    """Mean; NaN of none."""
    return float(np.mean(values)) if len(values) else NAN


def deviation(values: Sequence[float]) -> float:
    """Sample standard deviation; NaN of fewer than two."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else NAN


def sums_of_squares(sets: np.ndarray) -> tuple[float, float]:
    """Mean squares (between, within) of n sets of k students, (n, k), by the sums of squares."""
    n, k = sets.shape
    within = float(((sets - sets.mean(1, keepdims=True)) ** 2).sum())
    between = k * float(((sets.mean(1) - sets.mean()) ** 2).sum()) / (n - 1) if n > 1 else NAN
    return between, within / (n * (k - 1)) if k > 1 else NAN


def paired(first: Sequence[float], second: Sequence[float]) -> dict[str, float]:
    """A two-sided paired t-test, as columns of the table of comparisons.

    Deviations of almost none, which no test can measure by: p is 1 where there is no
    difference either, and NaN otherwise.
    """
    differences = np.subtract(first, second)
    n, average, std = len(differences), mean(differences), deviation(differences)
    found = {"n_pairs": n, "difference": average, "std_difference": std}
    low = high = p = NAN
    if n > 1 and std >= NONE_BELOW:
        test = stats.ttest_rel(first, second)
        low, high = test.confidence_interval(CONFIDENCE)
        p = test.pvalue
    elif n > 1 and abs(average) < NONE_BELOW:
        p = 1.0
    return {**found, "ci_low": float(low), "ci_high": float(high), "p": float(p)}


def holm(values: Sequence[float]) -> list[float]:
    """Holm's correction of those p values that are numbers: max over j ≤ i of (m - j) p_(j)."""
    tested = sorted(value for value in values if value == value)
    m = len(tested)
    steps = np.maximum.accumulate([(m - j) * value for j, value in enumerate(tested)])
    found = dict(zip(tested, np.minimum(steps, 1.0).tolist(), strict=True))
    return [found[value] if value == value else NAN for value in values]


def judgement(difference: float, p: float, alpha: float) -> str:
    """The verdict on a tested difference: its sign where p is at most α."""
    if math.isnan(p) or p > alpha:
        return "not distinguishable"
    return "better" if difference > 0 else "worse"


def accuracies(runs: Iterable[Mapping], column: str = "top1_last") -> dict[tuple, Runs]:
    """Of every (cell, student, protocol) as ``key`` has it, the accuracies by their two seeds."""
    found: dict[tuple, Runs] = {}
    for run in measured(runs):
        place = found.setdefault(key(run, (*CELL, "student", "protocol")), {})
        place[run["seed"], run["student_seed"]] = run[column]
    return found


def as_array(runs: Runs) -> np.ndarray:
    """Accuracies as (sets, students), where every set has the same students."""
    sets, students = (sorted({pair[i] for pair in runs}) for i in (0, 1))
    return np.array([[runs.get((s, k), NAN) for k in students] for s in sets])


def shared(first: Runs, second: Runs) -> tuple[list[float], list[float]]:
    """Two cells' means of each set over the student seeds that both have, in the seeds' order."""
    both = sorted(first.keys() & second.keys())
    seeds = sorted({seed for seed, _ in both})
    sides = [
        [mean([side[pair] for pair in both if pair[0] == seed]) for seed in seeds]
        for side in (first, second)
    ]
    return sides[0], sides[1]


def of_shared_students(cells: Sequence[Runs]) -> list[Runs]:
    """The trainings of several cells, of the students that each of their sets has."""
    by_set = [
        {student for seed, student in runs if seed == one}
        for runs in cells
        for one in {seed for seed, _ in runs}
    ]
    kept = set.intersection(*by_set) if by_set else set()
    return [{pair: value for pair, value in runs.items() if pair[1] in kept} for runs in cells]
