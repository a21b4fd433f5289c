"""How near a set lies to the real images, by hand, and that one which copies is seen to."""

import numpy as np
import pytest

from lighthouse.metrics import copying
from lighthouse.metrics.copying import RealPoints, nearest_distances, spacing
from toy_metrics import rng


def line(*points):
    return np.array(points, np.float32)[:, None]


def test_real_images_lie_as_far_apart_as_the_median_of_them_from_the_nearest_other():
    assert spacing(line(0, 2, 6)) == 2  # 2, 2 and 4
    assert spacing(line(0, 1, 3, 7)) == 1.5  # 1, 1, 2 and 4


def test_nearness_of_points_on_a_line_is_the_distance_by_hand_over_the_spacing():
    real = RealPoints(line(0, 2, 6, 100, 101), np.array([0, 0, 0, 1, 1]))
    assert real.spacing == [2, 1]
    # The nearest are 2, 6, 0; and of the other class 100, though 6 is near to it as well.
    assert real.nearness(0, line(3, 10, 0)) == pytest.approx([0.5, 2, 0])
    assert real.nearness(1, line(7, 100)) == pytest.approx([93, 0])


def test_points_of_any_shape_lie_as_far_apart_as_when_flat():
    latents, labels = rng().normal(size=(9, 2, 3, 3)), np.zeros(9, int)
    synthetic = rng(1).normal(size=(4, 2, 3, 3))
    flat = RealPoints(latents.reshape(9, -1), labels).nearness(0, synthetic.reshape(4, -1))
    assert RealPoints(latents, labels).nearness(0, synthetic) == pytest.approx(flat)


def test_a_copy_is_at_zero_exactly_however_long_its_latent():
    real = (1e4 + rng().normal(size=(50, 40))).astype(np.float32)
    points = RealPoints(real, np.zeros(50, int))
    assert (points.nearness(0, real[7:20]) == 0).all()
    nearly = points.nearness(0, real[7:20] + np.float32(0.01))
    assert (nearly > 0).all() and (nearly < 0.1).all()


def test_as_many_more_real_images_have_about_the_spacing_of_the_others():
    images = rng().normal(size=(600, 5))
    near = RealPoints(images[:300], np.zeros(300, int)).nearness(0, images[300:])
    assert np.median(near) == pytest.approx(1, abs=0.1)


def test_a_class_of_one_image_has_no_spacing_and_nothing_lies_near_it():
    real = RealPoints(line(4, 1, 2), np.array([0, 1, 1]))
    assert np.isnan(real.spacing[0]) and real.spacing[1] == 1
    assert np.isnan(real.nearness(0, line(4, 5))).all()
    assert real.nearness(1, line(4)) == pytest.approx([2])


def test_images_that_all_have_a_twin_have_no_spacing():
    assert np.isnan(spacing(line(0, 0, 5, 5)))
    assert spacing(line(0, 0, 5, 6, 9)) == 1  # 0, 0, 1, 1 and 3


def test_of_many_real_images_some_are_asked_how_far_the_others_are(monkeypatch):
    points = line(0, 1, 10, 12, 30, 33)  # nearest others at 1, 1, 2, 2, 3 and 3
    assert spacing(points) == 2
    monkeypatch.setattr(copying, "ASKED", 3)
    assert spacing(points[[0, 1, 2, 4, 3, 5]]) == 2  # of 0, 10 and 12, all six beside them
    monkeypatch.setattr(copying, "ASKED", 1)
    assert spacing(points) == 1


def test_distances_do_not_depend_on_the_block(monkeypatch):
    real, points = rng(1).normal(size=(30, 3)), rng(2).normal(size=(20, 3))
    whole = nearest_distances(points, real), nearest_distances(real, real, np.arange(30))
    apart = np.linalg.norm(points[:, None] - real, axis=2)
    assert whole[0] == pytest.approx(apart.min(1))
    monkeypatch.setattr(copying, "BLOCK", 7)
    assert nearest_distances(points, real) == pytest.approx(whole[0])
    assert nearest_distances(real, real, np.arange(30)) == pytest.approx(whole[1])


def test_latents_are_read_from_disk_a_class_at_a_time(tmp_path):
    latents = rng().normal(size=(10, 2, 1, 4, 4)).astype(np.float32)
    np.save(tmp_path / "latents.npy", latents)
    opened = np.load(tmp_path / "latents.npy", mmap_mode="r")
    labels = np.arange(10) % 2
    real = RealPoints(opened[:, 0], labels)
    assert np.array_equal(real.of(1), latents[1::2, 0].reshape(5, 16))
    assert type(real.of(1)) is np.ndarray
    assert (real.nearness(1, latents[1::2, 0]) == 0).all()
    assert (real.nearness(1, latents[1::2, 1]) > 0.1).all()  # mirrored views are no real images
