"""Formulas of the audit's own: means, deviations, variance components, tests, corrections."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from lighthouse.report.audit.claims import NAN, UNITS, key, measured, slack
from lighthouse.tables import CELL

#: Percentage points below which a deviation or a difference counts as none, as documented in
#: ``report.statistics``: half a unit of what 6 digits keep of an accuracy in %.
NONE_BELOW = 5e-4
CONFIDENCE = 0.95

#: Accuracies by (replicate, sampling seed, student seed).
Runs = dict[tuple[int, int, int], float]


def mean(values: Sequence[float]) -> float:
    """Mean; NaN of none."""
    return float(np.mean(values)) if len(values) else NAN


def deviation(values: Sequence[float]) -> float:
    """Sample standard deviation; NaN of fewer than two."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else NAN


def mean_squares(values: np.ndarray) -> tuple[float, float, float]:
    """Mean squares of n replicates of s sets of k students, (n, s, k), by the sums of squares.

    Between replicates, between the sets of one and between the students of one; NaN of one.
    """
    n, s, k = values.shape
    sets, replicates = values.mean(2), values.mean((1, 2))
    sums = (
        (s * k * ((replicates - values.mean()) ** 2).sum(), n - 1),
        (k * ((sets - replicates[:, None]) ** 2).sum(), n * (s - 1)),
        (((values - sets[..., None]) ** 2).sum(), n * s * (k - 1)),
    )
    between, of_sets, within = (float(total) / free if free else NAN for total, free in sums)
    return between, of_sets, within


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


def off(test: Mapping[str, float], behind: Iterable[float]) -> dict[str, float]:
    """By how much a paired test's interval and p may be off, of values that a table has rounded.

    behind: these values, each off by half a unit of its last digit, so that their differences are
    off by a unit, and t by what that makes of it. Of few pairs, or of small deviations, that is
    more than the rounding of p.
    """
    n, std = test["n_pairs"], test["std_difference"]
    if n < 2 or not std >= NONE_BELOW:
        return {}
    by = slack(*behind) / UNITS
    of_mean, of_std, root = by, math.sqrt(2) * by, math.sqrt(n)
    t = abs(test["difference"]) * root / std
    of_t = (root * of_mean + t * of_std) / std
    interval = of_mean + stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * of_std / root
    p = 2 * stats.t.pdf(max(0.0, t - of_t), n - 1) * of_t
    return {"ci_low": float(interval), "ci_high": float(interval), "p": float(p)}


def holm(values: Sequence[float]) -> list[float]:
    """Holm's correction of those p values that are numbers: max over j ≤ i of (m - j) p_(j)."""
    tested = sorted(value for value in values if value == value)
    m = len(tested)
    steps = np.maximum.accumulate([(m - j) * value for j, value in enumerate(tested)])
    found = dict(zip(tested, np.minimum(steps, 1.0).tolist(), strict=True))
    return [found[value] if value == value else NAN for value in values]


def judgement(difference: float, p: float, alpha: float) -> str:
    """The verdict on a difference: its sign where p is at most α; none without p."""
    if math.isnan(p):
        return "not tested"
    if math.isnan(difference) or p > alpha or not difference:
        return "not distinguishable"
    return "better" if difference > 0 else "worse"


def accuracies(runs: Iterable[Mapping], column: str = "top1_last") -> dict[tuple, Runs]:
    """Of every (cell, student, protocol) as ``key`` has it, the accuracies by their seeds."""
    found: dict[tuple, Runs] = {}
    for run in measured(runs):
        place = found.setdefault(key(run, (*CELL, "student", "protocol")), {})
        place[run["replicate"], run["seed"], run["student_seed"]] = run[column]
    return found


def as_array(runs: Runs) -> np.ndarray:
    """Accuracies as (replicates, sets, students), where every set has the same students."""
    students = sorted({training[2] for training in runs})
    sets: dict[int, list[int]] = {}
    for replicate, seed in sorted({training[:2] for training in runs}):
        sets.setdefault(replicate, []).append(seed)
    return np.array(
        [[[runs.get((r, s, k), NAN) for k in students] for s in own] for r, own in sets.items()]
    )


def shared(first: Runs, second: Runs) -> tuple[list[float], list[float]]:
    """Two cells' means of each replicate over the trainings that both have, in their order."""
    both = sorted(first.keys() & second.keys())
    replicates = sorted({replicate for replicate, *_ in both})
    sides = [
        [mean([side[one] for one in both if one[0] == replicate]) for replicate in replicates]
        for side in (first, second)
    ]
    return sides[0], sides[1]


def of_shared_students(cells: Sequence[Runs]) -> list[Runs]:
    """The trainings of several cells, of the students that each of their sets has."""
    by_set = [
        {student for _, seed, student in runs if seed == one}
        for runs in cells
        for one in {seed for _, seed, _ in runs}
    ]
    kept = set.intersection(*by_set) if by_set else set()
    return [{pair: value for pair, value in runs.items() if pair[2] in kept} for runs in cells]
