"""Support points: the energy, its gradient, where a set of them settles, and what guidance does."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from lighthouse.couplings import joint, sequential
from lighthouse.guidance import Context, Guide
from lighthouse.guidance.support import (
    Cloud,
    RealLatents,
    alone,
    direction,
    energy,
    settled,
    support,
    units,
)
from lighthouse.runtime.tally import Tally
from sampling import run, state
from toy import CLASSES, DIM, toy_denoiser, write_latents

STEPS = {"steps": [0, 1000]}


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def reference(z, real, visible):
    """d, pair by pair."""
    moved = torch.zeros_like(z)
    for i, point in enumerate(z):
        for others, sign in ((real, 1), (visible, -1)):
            for other in others:
                if not torch.equal(other, point):
                    moved[i] += sign * (point - other) / (point - other).norm() / len(others)
    return moved


def test_the_energy_of_points_on_a_line_by_hand():
    # To 0 and 4 from 1 and 3: 1, 3, 3, 1; between them 2, twice.
    points, real = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [4.0]])
    assert energy(points, real).item() == pytest.approx(2 * 8 / 4 - 4 / 4)


def test_the_direction_is_half_n_times_the_gradient_of_the_energy():
    real, z = drawn(40, 8), drawn(6, 8, seed=1).requires_grad_()
    energy(z, real).backward()
    found = direction(z.detach(), Cloud.of(real), z.new_zeros(0, 8))
    torch.testing.assert_close(found, 6 / 2 * z.grad, rtol=1e-12, atol=1e-14)


def test_finished_images_push_and_are_not_pushed():
    real, z, finished = drawn(30, 5), drawn(2, 5, seed=1), drawn(3, 5, seed=2)
    found = direction(z, Cloud.of(real), finished)
    torch.testing.assert_close(found, reference(z, real, torch.cat([finished, z])))


def test_blocks_change_nothing(monkeypatch):
    real, z = drawn(30, 5), drawn(7, 5, seed=1)
    squares = real.square().sum(1)
    whole = units(z, real, squares)
    monkeypatch.setattr("lighthouse.guidance.support.BLOCK", 2)
    for one, other in zip(units(z, real, squares), whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_point_has_no_direction_from_itself(dtype):
    """Far from the origin, too, where rounding leaves the most of it."""
    real = (drawn(50, 64) + 30).to(dtype)
    cloud = Cloud.of(real)
    found = units(real[:4] - cloud.middle, cloud.points, cloud.squares)
    expected = reference(real[:4].double(), real.double(), [])
    others = torch.stack([(real[i] - real).norm(dim=1) for i in range(4)])
    torch.testing.assert_close(found[0].double() / 50, expected, rtol=0, atol=2e-5)
    inverse = torch.where(others > 0, 1 / others, 0).sum(1, keepdim=True)
    torch.testing.assert_close(found[1], inverse, rtol=1e-4, atol=0)


def test_one_point_settles_in_the_median_of_its_class():
    real = torch.tensor([[0.0, 0.0], [0.0, 2.0], [0.0, 2.5], [0.1, 3.0], [40.0, 2.1]])
    found = settled(torch.tensor([[3.0, -1.0]]), Cloud.of(real))
    assert direction(found, Cloud.of(real), found[:0]).norm() < 0.05
    # Where the mean is drawn to the one far off.
    assert (found - real[1]).norm() < 1 < (real.mean(0) - real[1]).norm()


def test_settling_lowers_the_energy_at_each_step(monkeypatch):
    real, z = drawn(60, 4), 3 * drawn(9, 4, seed=1)
    monkeypatch.setattr("lighthouse.guidance.support.ITERATIONS", 1)
    course = [z]
    for _ in range(60):
        course.append(settled(course[-1], Cloud.of(real)))
    energies = [energy(points, real).item() for points in course]
    assert all(after < before for before, after in pairwise(energies))
    assert direction(course[-1], Cloud.of(real), z[:0]).norm(dim=1).max() < 0.02


def test_settled_points_stand_for_a_class_better_than_its_mean_or_a_draw():
    """In energy, and in how far a fresh image of the class is from the nearest of them."""
    real = drawn(400, 2)
    found = settled(drawn(12, 2, seed=3), Cloud.of(real))
    other = drawn(400, 2, seed=5)

    def reach(points):
        return torch.cdist(other, points).amin(1).mean()

    draws = [drawn(12, 2, seed=seed) for seed in range(10, 40)]
    assert energy(found, real) < min(energy(points, real) for points in draws)
    assert reach(found) < np.mean([reach(points) for points in draws])


def test_latents_at_a_real_one_are_counted():
    real, tally = drawn(30, 5), Tally()
    z = torch.stack([real[4], real[4] + 1, real[7]])
    direction(z, Cloud.of(real), z[:0], tally)
    assert tally.counts() == {"latents_at_real_ones": {"held": 2, "of": 3}}


# The term.


@pytest.fixture
def folder(tmp_path):
    """Latents of a folder, 20 of each class."""
    labels = np.repeat(np.arange(len(CLASSES)), 20)
    points = 0.5 * np.random.default_rng(0).standard_normal((len(labels), DIM)) + labels[:, None]
    return write_latents(tmp_path / "latents", points, labels)


def context(folder, ipc=4):
    return Context("toy", CLASSES, ipc, DIM, latents=folder)


def test_the_term_moves_predicted_clean_latents_by_the_spread_of_the_class(folder):
    s = replace(state(3, DIM, finished=2), label=1)
    real = RealLatents(context(folder)).of(1)
    latents = (real.points + real.middle).double()
    reach = (latents - latents.mean(0)).norm(dim=1).mean().item()
    assert real.spread == pytest.approx(reach)
    found = support(STEPS, context(folder))(s)
    clean = (s.z - 0.7**0.5 * s.noise) / 0.3**0.5
    for group in range(2):
        visible = torch.cat([s.finished[group] / 0.3**0.5, clean[group]])
        expected = 0.4**0.5 * reach * reference(clean[group], latents, visible)
        torch.testing.assert_close(found[group], expected)


def test_the_reals_are_first_views_of_the_class(folder):
    of = RealLatents(context(folder))
    for label in range(len(CLASSES)):
        real = of.of(label)
        assert real.points.shape == (20, DIM)
        assert abs(real.middle.mean().item() - label) < 0.1


@pytest.mark.parametrize("coupling", [joint, sequential])
def test_guided_sets_have_less_energy_than_unguided_ones(folder, coupling):
    model, ipc = toy_denoiser(), 4
    guides = [Guide(0.5, support(STEPS, context(folder)), (0, 1000))]
    free, guided = (run(model, ipc, coupling, terms).flatten(2) for terms in ((), guides))
    of = RealLatents(context(folder))
    for label in range(len(CLASSES)):
        real = of.of(label).points + of.of(label).middle
        assert energy(guided[label], real) < energy(free[label], real)


def test_alone_it_settles_a_set_in_its_class(folder):
    settle = alone(STEPS, context(folder))
    real = RealLatents(context(folder)).of(2)
    found = settle(torch.zeros(3, DIM) + 0.1 * drawn(3, DIM).float(), 2)
    torch.testing.assert_close(found, settled(0.1 * drawn(3, DIM).float(), real))
