"""What repeated trainings can tell apart: variance components, paired tests, Holm's correction."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import ttest_1samp

NAN = float("nan")
#: Verdicts of a comparison.
BETTER, WORSE, ALIKE, MISSING = "better", "worse", "not distinguishable", "missing"
#: Of a difference that nothing could be tested by: of one replicate, however large it is.
UNTESTED = "not tested"
#: Share of the distribution that a confidence interval covers.
COVERED = 0.95
#: Percentage points. Tables keep accuracies in % with 6 digits, so differences that are
#: equal may be read back up to 2e-4 apart; one test image of 50,000 is 2e-3.
ROUNDING = 5e-4


def deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample (ddof 1); NaN of fewer than two values, or where one is not
    finite."""
    told = len(values) > 1 and all(map(math.isfinite, values))
    return statistics.stdev(values) if told else NAN


class Components(NamedTuple):
    """Standard deviations by source, in the values' unit; NaN where a source cannot be told."""

    replicates: float
    sets: float
    students: float


def components(replicates: Sequence[Sequence[Sequence[float]]]) -> Components:
    """How much each source of variance does: replicates, sets in them, students of one set.

    replicates: R replicates of S sets with the accuracies of the K students trained on each.
    Balanced nested random effects, estimated by the mean squares, a negative variance cut to 0:
    students MS_students; sets (MS_sets − MS_students)/K; replicates (MS_replicates − MS_sets)/SK.

    Of one set a replicate, the two are one source: ``replicates`` is of both together, and
    ``sets`` NaN. Of one student a set, students and sets are one source, and both NaN (and
    ``replicates`` too, where there is one set). One replicate shows nothing of replicates.
    Raises ``ValueError`` where replicates have unequally many sets, or these students.
    """
    shapes = {tuple(len(students) for students in sets) for sets in replicates}
    counts = {k for shape in shapes for k in shape}
    if len(shapes) != 1 or len(counts) != 1:
        raise ValueError(f"replicates of sets with {sorted(shapes)} students; all need as many")
    (shape,), (k,) = shapes, counts
    n, s = len(replicates), len(shape)
    means = [[statistics.fmean(students) for students in sets] for sets in replicates]
    of_students = of_sets = of_replicates = NAN  # mean squares
    if k > 1:
        values = (statistics.variance(students) for sets in replicates for students in sets)
        of_students = statistics.fmean(values)
    if s > 1:
        of_sets = k * statistics.fmean(statistics.variance(sets) for sets in means)
    if n > 1:
        of_replicates = s * k * statistics.variance([statistics.fmean(sets) for sets in means])
    below = of_sets if s > 1 else of_students
    return Components(
        _root((of_replicates - below) / (s * k)),
        _root((of_sets - of_students) / k),
        _root(of_students),
    )


def _root(variance: float) -> float:
    """A deviation: 0 of an estimate below 0, NaN of NaN."""
    return NAN if variance != variance else math.sqrt(max(0.0, variance))


class Paired(NamedTuple):
    """A paired comparison. ``ci_low`` and ``ci_high`` bound the mean difference (95 %)."""

    n_pairs: int
    difference: float
    std_difference: float
    ci_low: float
    ci_high: float
    p: float


def paired(differences: Sequence[float]) -> Paired:
    """Two-sided paired t-test of differences in percentage points, one for each replicate.

    Fewer than two pairs cannot be tested: NaN. Differences without any variance (few
    replicates, few test images) leave the t-test nothing to measure by: where all are zero
    p is 1, otherwise NaN rather than the 0 of the formula (ours). A difference that is not finite
    leaves nothing to test by either: NaN.
    """
    n = len(differences)
    # Equal means differ by 1e-15 where their sums were rounded apart.
    mean = round(statistics.fmean(differences), 9) if n else NAN
    std = deviation(differences)
    if math.isnan(std):
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
    """What a comparison shows at level ``alpha``.

    One that was not tested (p is NaN) shows nothing, which is not the same as no difference.
    """
    if math.isnan(p):
        return UNTESTED
    if p <= alpha and difference > 0:
        return BETTER
    return WORSE if p <= alpha and difference < 0 else ALIKE
