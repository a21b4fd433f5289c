"""Utility of a set: log det of its kernel, and how it lies among the real images."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_prc import prc_features_to_metric

from lighthouse.metrics import setutility
from lighthouse.metrics.setutility import log_det, manifold, radii
from toy_metrics import rng


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


def measures(real, synthetic, neighbours):
    return manifold(real, radii(real, neighbours), synthetic, neighbours)


def covered(real, synthetic, neighbours):
    return measures(real, synthetic, neighbours).coverage


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


def line(*points):
    return np.array(points, float)[:, None]


def test_the_measures_of_points_on_a_line_are_the_counts_by_hand():
    real = line(0, 1, 3, 7)  # balls of radius 1, 1, 2, 4: [-1, 1], [0, 2], [1, 5], [3, 11]
    synthetic = line(-0.5, 4, 20)  # of radius 4.5, 4.5, 16: [-5, 4], [-0.5, 8.5], [4, 36]
    found = measures(real, synthetic, 1)
    assert found.coverage == 3 / 4  # 0 by -0.5; 3 and 7 by 4
    assert found.precision == pytest.approx(2 / 3)
    assert found.density == pytest.approx((1 + 2 + 0) / (1 * 3))
    assert found.recall == 1
    far = measures(real, line(-2.5, -2, 20), 1)  # balls [-3, -2], [-2.5, -1.5], [-2, 42]
    assert (far.precision, far.density, far.coverage) == (0, 0, 0)
    assert far.recall == 1  # all by the ball of the outlier
    assert measures(real, line(6.5, 7), 1).recall == 1 / 4  # 7 by [6, 7] and [6.5, 7.5]


def test_density_counts_by_the_neighbours_and_may_exceed_one():
    real = line(0, 1, 2)  # by the second neighbour: radius 2, 1, 2
    found = measures(real, line(1, 1), 2)
    assert found.density == pytest.approx((3 + 3) / (2 * 2))
    assert found.precision == 1
    assert measures(real, line(1, 1), 9).density == found.density  # no more than two others


def test_without_enough_synthetic_images_there_is_no_recall():
    real = rng().normal(size=(30, 2))
    found = [measures(real, real[:n], 3) for n in (1, 3, 4)]
    assert [np.isnan(one.recall) for one in found] == [True, True, False]
    assert not np.isnan([one[:2] + one[3:] for one in found]).any()


def test_a_single_real_image_has_a_ball_of_itself():
    found = measures(line(2), line(2, 5), 3)
    assert (found.coverage, found.precision, found.density) == (1, 0.5, 0.5)


@pytest.mark.parametrize(("n", "count", "neighbours"), [(60, 40, 3), (25, 70, 5), (40, 40, 1)])
def test_precision_and_recall_are_torch_fidelitys(n, count, neighbours):
    real, synthetic = rng(1).normal(size=(n, 4)), rng(2).normal(0.5, 0.8, size=(count, 4))
    theirs = prc_features_to_metric(
        torch.from_numpy(synthetic),
        torch.from_numpy(real),
        prc_neighborhood=neighbours,
        verbose=False,
    )
    found = measures(real, synthetic, neighbours)
    assert 0 < found.precision < 1 and 0 < found.recall < 1
    assert found.precision == pytest.approx(theirs["precision"], abs=1e-6)
    assert found.recall == pytest.approx(theirs["recall"], abs=1e-6)


def test_the_measures_do_not_depend_on_the_block(monkeypatch):
    real, synthetic = rng(1).normal(size=(30, 3)), rng(2).normal(size=(20, 3))
    whole = measures(real, synthetic, 3)
    monkeypatch.setattr(setutility, "BLOCK", 7)
    assert measures(real, synthetic, 3) == pytest.approx(whole)
