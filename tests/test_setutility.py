"""Utility of a set: log det of its kernel, and coverage of the real images."""

import numpy as np
import pytest

from lighthouse.metrics import setutility
from lighthouse.metrics.setutility import coverage, log_det, radii
from test_metrics import rng


def test_log_det_of_orthogonal_latents_is_that_of_the_identity():
    latents = 3 * np.eye(4, 16).reshape(4, 1, 4, 4)
    assert log_det(latents, 0.01) == pytest.approx(4 * np.log(1.01))


def test_log_det_of_identical_latents_is_the_formula_by_hand():
    latents = np.ones((3, 1, 2, 2))  # the kernel is all ones: eigenvalues 3, 0, 0
    assert log_det(latents, 0.01) == pytest.approx(np.log(3.01) + 2 * np.log(0.01))


def test_log_det_ignores_the_length_of_latents():
    latents = rng().normal(size=(4, 2, 3, 3))
    scaled = latents * np.array([1, 5, 0.1, 2])[:, None, None, None]
    assert log_det(scaled, 1e-3) == pytest.approx(log_det(latents, 1e-3))


def covered(real, synthetic, neighbours):
    return coverage(real, radii(real, neighbours), synthetic)


def test_the_real_images_cover_themselves():
    real = rng().normal(size=(30, 5))
    assert covered(real, real, neighbours=3) == 1


def test_images_far_away_cover_nothing():
    real = rng().normal(size=(30, 5))
    assert covered(real, real + 100, neighbours=3) == 0


def test_coverage_of_points_on_a_line_is_the_count_by_hand():
    real = np.arange(6.0)[:, None]  # the nearest neighbour of each is 1 away
    assert covered(real, np.array([[0.4]]), neighbours=1) == pytest.approx(2 / 6)
    assert covered(real, np.array([[0.4], [4.5]]), neighbours=1) == pytest.approx(4 / 6)


def test_identical_synthetic_images_cover_less_than_diverse_ones():
    real = rng().normal(size=(40, 3))
    assert covered(real, real[:1].repeat(10, 0), 3) < covered(real, real[:10], 3)


def test_rounding_does_not_decide_whether_a_real_image_covers_its_neighbour():
    real = np.arange(6.0)[:, None]  # image 0 lies on the radii of itself and of image 1
    for shift in (-1e-6, 0, 1e-6):
        assert covered(real, real[:1] + shift, neighbours=1) == pytest.approx(2 / 6)


def test_the_radius_is_the_distance_of_the_kth_of_the_others():
    real = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert radii(real, 1) == pytest.approx([1, 1, 2, 4])
    assert radii(real, 2) == pytest.approx([3, 2, 3, 6])
    assert radii(real, 9) == pytest.approx([7, 6, 4, 7])  # the farthest there is


def test_radii_do_not_depend_on_the_block(monkeypatch):
    real = rng().normal(size=(30, 5))
    whole = radii(real, 3)
    monkeypatch.setattr(setutility, "BLOCK", 7)
    assert radii(real, 3) == pytest.approx(whole)
