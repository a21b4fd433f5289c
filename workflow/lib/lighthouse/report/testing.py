"""One family of tests and what it can see: Holm's levels, intervals at them, least differences."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, norm, t

NAN = float("nan")
#: Chance with which the least difference that is told would have been found.
POWER = 0.8
#: Values of a normal variate, evenly spaced, with weights that take a mean over it.
NORMAL = np.linspace(-9.0, 9.0, 3601)
DENSITIES = norm.pdf(NORMAL) * (NORMAL[1] - NORMAL[0])


def levels(values: Sequence[float], alpha: float) -> list[float]:
    """The level at which Holm's procedure tests each p value of a family, in their order.

    The k-th smallest of m is tested at α/(m − k + 1), up to the first that is above its level:
    there the procedure ends, so that level stands for it and for all behind it. A p value is thus
    at most its level exactly where it is rejected. NaN, which was not tested, stays NaN and is
    not counted.
    """
    order = sorted((i for i, p in enumerate(values) if p == p), key=lambda i: values[i])
    found, open_ = [NAN] * len(values), True
    level = alpha / len(order) if order else NAN
    for rank, i in enumerate(order):
        if open_:
            level = alpha / (len(order) - rank)
            open_ = values[i] <= level
        found[i] = level
    return found


def interval(mean: float, std: float, n: int, level: float) -> tuple[float, float]:
    """Bounds of a mean of n ≥ 2 values, of sample deviation std, at coverage 1 − level.

    They leave out 0 where the two-sided t-test is below the level.
    """
    half = float(t.isf(level / 2, n - 1)) * std / math.sqrt(n)
    return mean - half, mean + half


def detectable(std: float, n: int, level: float, power: float = POWER) -> float:
    """The least true mean that a two-sided t-test of n ≥ 2 values finds with chance ``power``.

    In the unit of ``std``, their deviation, which is taken as the true one: 0 where that is 0, NaN
    where it is NaN.
    """
    bound = float(t.isf(level / 2, n - 1))

    def lack(shift: float) -> float:
        return found(shift, n - 1, bound) - power

    # At twice the bound only a deviation of more than about twice the true one hides it.
    return float(brentq(lack, 0.0, 2 * bound + 8)) * std / math.sqrt(n)


def found(shift: float, df: int, bound: float) -> float:
    """Chance that t of ``df`` degrees of freedom, off centre by ``shift``, is beyond ±``bound``.

    t is (z + shift)/s: the chance that s is small enough, in the mean over z. (scipy's
    non-central t is NaN at some of the shifts that are asked for here.)
    """
    return float(DENSITIES @ chi2.cdf(df * ((NORMAL + shift) / bound) ** 2, df))
