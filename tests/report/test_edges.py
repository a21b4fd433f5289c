"""Tests and verdicts at the edge: nothing, one, all equal, and numbers that are none."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.metrics.strategies import claim
from lighthouse.report.audit.numbers import judgement
from lighthouse.report.claims import claim_rows
from lighthouse.report.statistics import components, deviation, holm, paired, verdict
from lighthouse.report.testing import detectable, levels
from lighthouse.tables import MEASURED

NAN, INF = math.nan, math.inf
few = settings(derandomize=True, database=None, max_examples=60, deadline=None)
p_values = st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), max_size=12)


@pytest.mark.parametrize("judge", [verdict, judgement])
@pytest.mark.parametrize("difference", [NAN, 0.0])
@pytest.mark.parametrize("p", [0.0, 0.01, NAN])
def test_what_is_no_difference_is_no_verdict(judge, difference, p):
    expected = "not tested" if math.isnan(p) else "not distinguishable"
    assert judge(difference, p, 0.05) == expected


@pytest.mark.parametrize("judge", [verdict, judgement])
def test_a_verdict_is_the_sign_of_a_difference_that_counts_in_tables_and_in_the_audit(judge):
    told = {(1.0, 0.05): "better", (-1e-9, 0.0): "worse", (INF, 0.01): "better"}
    told |= {
        (1.0, 0.06): "not distinguishable",
        (-INF, NAN): "not tested",
        (25.0, NAN): "not tested",
    }
    assert {given: judge(*given, 0.05) for given in told} == told


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_difference_that_is_not_finite_leaves_nothing_to_test(bad):
    result = paired([bad, 1.0, 2.0])
    assert result.n_pairs == 3
    for value in (result.std_difference, result.ci_low, result.ci_high, result.p):
        assert math.isnan(value)
    assert verdict(result.difference, result.p, 0.05) == "not tested"
    assert math.isnan(deviation([bad, 1.0]))


@pytest.mark.parametrize("differences", [[], [2.0], [3.0, 3.0, 3.0], [NAN, NAN]])
def test_one_replicate_and_equal_ones_have_no_p(differences):
    assert math.isnan(paired(differences).p)
    if differences:
        assert claim(np.array(differences))["holds"] == "not tested"
        assert math.isnan(claim(np.array(differences))["p"])


def test_a_component_with_a_value_that_is_none_is_none():
    found = components([[[NAN, 1.0], [1.0, 2.0]], [[0.0, 1.0], [1.0, 3.0]]])
    assert all(map(math.isnan, found))


@few
@given(p_values)
def test_holm_never_lowers_a_p_keeps_their_order_and_stays_below_1(values):
    corrected = holm(values)
    known = sorted((p, q) for p, q in zip(values, corrected, strict=True) if p == p)
    assert all(p <= q <= 1 for p, q in known)
    assert all(one[1] <= other[1] for one, other in pairwise(known))
    assert [math.isnan(q) for q in corrected] == [math.isnan(p) for p in values]


@few
@given(p_values)
def test_what_was_not_tested_changes_no_level(values):
    known = [p for p in values if p == p]
    assert [x for x in levels(values, 0.05) if x == x] == levels(known, 0.05)
    assert [x for x in holm(values) if x == x] == holm(known)


@pytest.mark.parametrize("p", [0.02, 1.0])
def test_equal_ps_are_corrected_alike(p):
    assert holm([p] * 4) == [min(1.0, 4 * p)] * 4


def test_a_deviation_of_0_hides_nothing_and_one_that_is_none_tells_nothing():
    assert detectable(0.0, 3, 0.05) == 0.0
    assert math.isnan(detectable(NAN, 3, 0.05))


def claimed(measure, first, second):
    """A claim whose sides have one value a replicate."""
    place = {"dataset": "toy", "ipc": 1}
    table, column = {
        "passes": ("cost_replicates", "evaluations_per_image"),
        "log_det": ("diversity", "log_det"),
    }[measure]
    rows = [
        {**place, "method": method, "replicate": n, "status": MEASURED, column: value}
        for method, values in (("a", first), ("b", second))
        for n, value in enumerate(values)
    ]
    one = {
        **place,
        **{"claim": "c", "says": "", "place": "", "measure": measure, "of": "a", "against": "b"},
        **{"along": "", "student": "", "protocol": "", "direction": "rises", "rises": True},
        "places": [{**place, "method": method} for method in ("a", "b")],
    }
    (row,) = claim_rows([one], {table: rows}, 0.05)
    return row


@pytest.mark.parametrize("measure", ["passes", "log_det"])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_claim_of_values_that_are_none_is_not_decided(measure, bad):
    row = claimed(measure, [bad, bad, bad], [1.0, 2.0, 3.0])
    assert (row["verdict"], row["n_replicates"]) == ("missing", 0)
    row = claimed(measure, [bad, 5.0], [1.0, 2.0])
    assert row["n_replicates"] == 1
