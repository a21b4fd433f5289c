"""Holm's levels, intervals at them, and the least differences that tests find."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from lighthouse.report.statistics import holm
from lighthouse.report.testing import detectable, interval, levels

NAN = float("nan")


def test_levels_rise_up_to_the_first_that_fails():
    # 0.05 / 4, then / 3, where 0.02 is above 0.0167: there it ends.
    assert levels([0.02, 0.001, NAN, 0.03, 0.9], 0.05) == pytest.approx(
        [0.05 / 3, 0.05 / 4, NAN, 0.05 / 3, 0.05 / 3], nan_ok=True
    )
    assert levels([0.01, 0.02], 0.05) == pytest.approx([0.025, 0.05])
    assert levels([], 0.05) == []
    assert all(map(math.isnan, levels([NAN], 0.05)))


def test_a_p_is_at_most_its_level_exactly_where_holms_is_at_most_alpha():
    rng = np.random.default_rng(0)
    for _ in range(300):
        values = (rng.random(6) ** 3 / 4).tolist()
        by_level = [p <= level for p, level in zip(values, levels(values, 0.05), strict=True)]
        assert by_level == [p <= 0.05 for p in holm(values)]


def test_an_interval_leaves_out_0_where_the_test_is_below_its_level():
    rng = np.random.default_rng(1)
    for _ in range(200):
        values = rng.normal(1, 1, 5)
        low, high = interval(values.mean(), values.std(ddof=1), 5, 0.02)
        assert (low > 0 or high < 0) == (ttest_1samp(values, 0).pvalue < 0.02)
        given = ttest_1samp(values, 0).confidence_interval(0.98)
        assert (low, high) == pytest.approx((given.low, given.high))


@pytest.mark.parametrize(("n", "level"), [(2, 0.05), (3, 0.05 / 15), (5, 0.05), (10, 0.01)])
def test_a_detectable_mean_is_found_in_four_of_five_studies(n, level):
    mean = detectable(2.0, n, level)
    values = np.random.default_rng(2).normal(mean, 2.0, (40_000, n))
    share = (ttest_1samp(values, 0.0, axis=1).pvalue <= level).mean()
    assert share == pytest.approx(0.8, abs=0.008)  # four standard errors


def test_a_detectable_mean_is_that_of_tables_of_power():
    # G*Power: n = 10, α = 0.05, two-sided, power 0.8: an effect of 0.996 deviations.
    assert detectable(1.0, 10, 0.05) == pytest.approx(0.996, abs=1e-3)
    assert detectable(3.0, 10, 0.05) == pytest.approx(3 * detectable(1.0, 10, 0.05))
