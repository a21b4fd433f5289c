"""Measures at the edge: one image, equal ones, twins, few images of many features, small ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.metrics.copying import RealPoints
from lighthouse.metrics.frechet import (
    ROUNDING,
    Reference,
    frechet_distance,
    kernel_distance,
    statistics,
)
from lighthouse.metrics.projection import plane
from lighthouse.metrics.setutility import cosines, distances, log_det, manifold, radii
from lighthouse.metrics.spectrum import rank_row, singular_values, value_rows
from lighthouse.metrics.ssim import WINDOW, mean_ssim
from lighthouse.metrics.subsets import greedy_log_det
from lighthouse.runtime.errors import DataError
from toy_metrics import pictures, rng

EPSILON = 1e-3
few = settings(derandomize=True, database=None, max_examples=30, deadline=None)


@st.composite
def features(draw, least=1, most=7):
    """Features (n, d) float32 of few images or many, some of them equal."""
    n, dim = draw(st.integers(least, most)), draw(st.integers(1, 6))
    made = np.random.default_rng(draw(st.integers(0, 2**20))).normal(size=(n, dim))
    made[draw(st.integers(0, n - 1))] = made[0]
    return (draw(st.sampled_from((1e-12, 1.0, 1e12))) * made).astype(np.float32)


# Log det.


@few
@given(features())
def test_log_det_knows_neither_order_nor_scale_and_is_finite(z):
    value = log_det(z, EPSILON)
    assert math.isfinite(value)
    assert value <= len(z) * math.log1p(EPSILON) + 1e-9
    assert log_det(z[::-1], EPSILON) == pytest.approx(value, abs=1e-6)
    assert log_det(1e6 * z, EPSILON) == pytest.approx(value, abs=1e-6)


def test_a_latent_of_zeros_has_no_cosine():
    z = np.eye(3, 4)
    z[1] = 0
    assert np.array_equal(cosines(z), np.diag([1.0, 0.0, 1.0]))
    assert log_det(z, EPSILON) == pytest.approx(2 * math.log1p(EPSILON) + math.log(EPSILON))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_latent_that_is_not_finite_is_named(bad):
    z = np.ones((3, 1, 2, 2))
    z[2, 0, 0, 1] = bad
    with pytest.raises(FloatingPointError, match="latent 2 of 3 of a class is not finite"):
        log_det(z, EPSILON)


def test_greedy_picks_of_equal_latents_are_different_ones():
    assert sorted(greedy_log_det(cosines(np.ones((5, 3))), 5, EPSILON)) == [0, 1, 2, 3, 4]


# Nearness.


@few
@given(features(least=2), st.integers(1, 9))
def test_measures_of_nearness_are_shares_and_a_copy_of_a_class_is_perfect(real, k):
    """With fewer images than neighbours, too, and where some are equal."""
    radius = radii(real, k)
    found = manifold(real, radius, real, k)
    assert (found.coverage, found.precision) == (1.0, 1.0)
    assert found.density > 0
    assert math.isnan(found.recall) == (len(real) <= k)
    other = manifold(real, radius, 3 * real[:1] + 1, k)
    assert 0 <= other.coverage <= 1
    assert 0 <= other.precision <= 1


def test_an_image_with_twins_has_a_ball_of_itself():
    """Rounding of a product of matrices must not say whether an equal image is in it."""
    real = rng().normal(100, 1, (30, 50)).repeat(3, 0)
    radius = radii(real, 2)
    assert (radius == 0).all()
    assert manifold(real, radius, real[::3], 2).coverage == 1
    assert manifold(real, radius, real[::3] * (1 + 1e-3), 2).coverage == 0


def test_points_that_differ_have_the_distance_of_the_plain_formula_to_the_bit():
    a, b = rng(0).normal(size=(20, 9)), rng(1).normal(size=(30, 9))
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    assert np.array_equal(distances(a, b), np.sqrt(squares))


def test_a_class_of_one_image_has_no_scale_of_nearness():
    points = RealPoints(np.array([[0.0], [3.0], [4.0]]), np.array([0, 1, 1]))
    assert np.isnan(points.nearness(0, np.array([[1.0]]))).all()
    assert points.nearness(1, np.array([[4.0]])) == [0.0]


# Fréchet and kernel distance.


@few
@given(features(least=2), st.integers(0, 99))
def test_the_frechet_distance_is_symmetric_and_not_below_0(one, seed):
    """Of fewer images than features as well, whose covariance is singular."""
    other = np.random.default_rng(seed).normal(size=(4, one.shape[1])) * np.abs(one).max()
    a, b = statistics(one), statistics(other)
    size = np.trace(a["sigma"]) + np.trace(b["sigma"])
    found, back = frechet_distance(a, b), frechet_distance(b, a)
    assert found.value == pytest.approx(back.value, abs=1e-5 * size)
    assert found.value > -1e-5 * size
    assert 0 <= found.dropped < ROUNDING
    assert frechet_distance(a, a).value == pytest.approx(0, abs=1e-5 * size)


def test_one_image_has_neither_distance():
    real = rng().normal(size=(10, 4))
    assert math.isnan(Reference(real).distance(real[:1]))
    assert math.isnan(kernel_distance(real, real[:1]))


# The spectrum, and the map.


@pytest.mark.parametrize("n", [1, 2, 5])
def test_what_does_not_vary_has_no_rank(n):
    """Numbers whose mean is rounded, so that all but a rounding is centred away."""
    values = singular_values(np.full((n, 7), 0.1, np.float32))
    assert values.shape == (n - 1,)
    assert not values.any()
    row = rank_row({}, values)
    assert len(row) == 4
    assert all(map(math.isnan, row.values()))
    assert all(math.isnan(row["normalised"]) for row in value_rows({}, values))


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_map_of_one_image_or_of_equal_ones_shows_them_in_one_place(n):
    found = plane(np.ones((n, 5)))
    assert math.isnan(found.share)
    assert np.allclose(found.axes.T @ found.axes, np.eye(2))
    assert np.allclose(found(np.ones((n, 5))), 0)


# Structural similarity.


@few
@given(st.integers(0, 99), st.integers(0, 99))
def test_similarity_is_within_1_and_1_of_an_image_with_itself(one, other):
    pair = np.stack([pictures(1, one)[0], pictures(1, other)[0]])
    assert mean_ssim(pair[[0, 0]], [(0, 1)]) == pytest.approx(1)
    assert -1 <= mean_ssim(pair, [(0, 1)]) <= 1
    assert mean_ssim(pair, [(0, 1)]) == pytest.approx(mean_ssim(pair[::-1], [(0, 1)]))


@pytest.mark.parametrize("value", [0, 255])
def test_equal_constant_images_are_alike(value):
    """Without variance, and black, the formula has its constants over themselves."""
    images = np.full((2, 3, 16, 16), value, np.uint8)
    assert mean_ssim(images, [(0, 1)]) == pytest.approx(1)


def test_the_window_is_that_of_the_least_image():
    images = pictures(2)[:, :, :WINDOW, :WINDOW]
    assert mean_ssim(images, [(0, 1)]) < 1
    with pytest.raises(DataError, match="smaller than its window"):
        mean_ssim(images[:, :, 1:], [(0, 1)])
