"""The weights that a tuning tries: which factors go together, by hand."""

import pytest

from lighthouse.config.candidates import candidates, generators, lattice
from lighthouse.parts.terms import TERMS, named


def test_two_terms_go_through_five_factors_by_one_step_and_by_two():
    assert lattice(5, 2, centre=2) == [(0, 3), (1, 0), (2, 2), (3, 4), (4, 1)]


def test_two_terms_go_through_three_factors_against_each_other():
    assert lattice(3, 2, centre=1) == [(0, 2), (1, 1), (2, 0)]


@pytest.mark.parametrize("count", [2, 3, 5, 7, 9])
def test_each_place_is_met_once_in_each_dimension_and_no_two_go_in_step(count):
    dimensions = len(generators(count))
    for centre in range(count):
        points = lattice(count, dimensions, centre)
        columns = list(zip(*points, strict=True))
        assert all(sorted(column) == list(range(count)) for column in columns)
        assert len(set(columns)) == dimensions
        assert points[centre] == (centre,) * dimensions


def test_generators_have_no_divisor_in_common_with_the_count():
    assert {n: generators(n) for n in (1, 2, 6, 7, 9)} == {
        1: [],
        2: [1],
        6: [1, 5],
        7: [1, 2, 3, 4, 5, 6],
        9: [1, 2, 4, 5, 7, 8],
    }


def test_candidates_are_factors_of_each_terms_natural_unit():
    tried = candidates(named(["dpp", "mean"]), [0.5, 1, 2], ipc=10)
    assert [one.factors for one in tried] == [
        {"eta_dpp": 0.5, "mu_dm": 2},
        {"eta_dpp": 1, "mu_dm": 1},
        {"eta_dpp": 2, "mu_dm": 0.5},
    ]
    # 1 % of a latent's length, and a tenth of the drift of ten images.
    weights = [list(one.weights.values()) for one in tried]
    assert weights[1] == pytest.approx([40.96, 2048])
    assert weights[0] == pytest.approx([20.48, 4096])


@pytest.mark.parametrize("terms", [["mode"], ["dpp", "mean"], ["influence", "deviation", "mean"]])
def test_every_method_has_as_many_candidates_as_there_are_factors(terms):
    assert len(candidates(named(terms), [0.25, 0.5, 1, 2, 4], ipc=1)) == 5


@pytest.mark.parametrize("ipc", [1, 10, 100])
def test_a_natural_unit_moves_as_much_at_every_ipc(ipc):
    dpp, mean = TERMS["dpp"], TERMS["mean"]
    assert dpp.derived["eta_share"](dpp.unit(ipc), ipc) == pytest.approx(0.01)
    assert mean.derived["mean_pull"](mean.unit(ipc), ipc) == pytest.approx(0.1)


def test_a_natural_unit_is_a_weight_that_its_term_takes():
    for term in TERMS.values():
        assert term.unit(5) > 0
        assert term.problem(term.unit(5), 5, term.defaults) == ""
