"""What repeated trainings can tell apart: variance components, paired tests, Holm's correction."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import ttest_1samp

NAN = float("nan")
#: Verdicts of a comparison.
BETTER, WORSE, ALIKE, MISSING = "better", "worse", "not distinguishable", "missing"
#: Share of the distribution that a confidence interval covers.
COVERED = 0.95
#: Percentage points. Tables keep accuracies in % with 6 digits, so differences that are
#: equal may be read back up to 2e-4 apart; one test image of 50,000 is 2e-3.
ROUNDING = 5e-4


def deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample (ddof 1); NaN of fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else NAN


def components(sets: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Standard deviations (between sets, between students of one set), in the values' unit.

    sets: n distilled sets, each drawn under its own sampling seed, with the accuracies of
    the k students trained on it. Balanced one-way random effects, estimated by the mean
    squares: students √MS_within; sets √max(0, (MS_between − MS_within)/k). One
    set shows only its students' part, the other is NaN; one student a set leaves the two
    sources mixed, so both are NaN.
    Raises ``ValueError`` where the sets have unequally many students.
    """
    counts = {len(values) for values in sets}
    if len(counts) != 1:
        raise ValueError(f"sets with {sorted(counts)} students; every set needs as many")
    (k,) = counts
    if k < 2:
        return NAN, NAN
    within = statistics.fmean(statistics.variance(values) for values in sets)
    if len(sets) < 2:
        return NAN, math.sqrt(within)
    between = k * statistics.variance([statistics.fmean(values) for values in sets])
    return math.sqrt(max(0.0, (between - within) / k)), math.sqrt(within)


class Paired(NamedTuple):
    """A paired comparison. ``ci_low`` and ``ci_high`` bound the mean difference (95 %)."""

    n_pairs: int
    difference: float
    std_difference: float
    ci_low: float
    ci_high: float
    p: float


def paired(differences: Sequence[float]) -> Paired:
    """Two-sided paired t-test of differences in percentage points, one for each seed.

    Fewer than two pairs cannot be tested: NaN. Differences without any variance (few
    seeds, few test images) leave the t-test nothing to measure by: where all are zero
    p is 1, otherwise NaN rather than the 0 of the formula (ours).
    """
    n = len(differences)
    # Equal means differ by 1e-15 where their sums were rounded apart.
    mean = round(statistics.fmean(differences), 9) if n else NAN
    std = deviation(differences)
    if n < 2:
        return Paired(n, mean, std, NAN, NAN, NAN)
    if std < ROUNDING:
        p = 1.0 if abs(mean) < ROUNDING else NAN
        return Paired(n, mean, std, NAN, NAN, p)
    test = ttest_1samp(differences, 0.0)
    low, high = test.confidence_interval(COVERED)
    return Paired(n, mean, std, float(low), float(high), float(test.pvalue))


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down correction of a family's p values, in their order.

    The i-th smallest of m is multiplied by m − i + 1, no less than those before it and
    at most 1. NaN stays NaN and is not counted: what was not tested costs nothing.
    """
    order = sorted((i for i, p in enumerate(values) if p == p), key=lambda i: values[i])
    adjusted = [NAN] * len(values)
    least = 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * values[i]))
        adjusted[i] = least
    return adjusted


def verdict(difference: float, p: float, alpha: float) -> str:
    """What a comparison shows at level ``alpha``. An untested one shows nothing."""
    if not p <= alpha:
        return ALIKE
    return BETTER if difference > 0 else WORSE
