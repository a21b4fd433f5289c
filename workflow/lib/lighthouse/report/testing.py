"""One family of tests and what it can see: Holm's levels, intervals at them, least differences."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, norm, t

NAN = float("nan")
#: Chance with which the least difference that is told would have been found.
POWER = 0.8
#: Points in (0, 1) and their weights, by which a mean over a distribution is taken.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
QUANTILES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2


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

    In the unit of ``std``, their deviation, which is taken as the true one.
    """
    bound, shares = float(t.isf(level / 2, n - 1)), _spreads(n - 1)

    def lack(shift: float) -> float:
        found = norm.cdf(shift - bound * shares) + norm.cdf(-shift - bound * shares)
        return float(WEIGHTS @ found) - power

    # At a deviation of twice the true one, which is rare, twice the bound is found half the time.
    return float(brentq(lack, 0.0, 4 * bound + 4)) * std / math.sqrt(n)


def _spreads(df: int) -> np.ndarray:
    """Sample deviations as shares of the true one at the quantiles ``QUANTILES``.

    By them the non-central t distribution is a mean of normal ones (scipy's own is NaN at some
    of the shifts that are asked for here).
    """
    return np.sqrt(chi2.ppf(QUANTILES, df) / df)
