"""Objectives at the edge: latents of zeros, one image, all equal, all noise levels."""

import pytest
import torch

from lighthouse.diffusion.schedule import alphas_bar
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.priors.batch import Batch, shares
from lighthouse.priors.minimax import MiniMax
from lighthouse.priors.objectives import L1_WEIGHTINGS, RSM, plain

STEPS = torch.tensor([0, 1, 500, 999])


def batch(z0, t):
    """Latents noised with noise of their own."""
    bars = alphas_bar()[t]
    clean, noisy = shares(bars, z0)
    noise = torch.linspace(-1, 1, z0.numel()).reshape(z0.shape)
    classes = torch.zeros(len(z0), dtype=torch.int64)
    return Batch(z0, clean * z0 + noisy * noise, noise, t, bars, classes, classes, classes)


def made(dim):
    """Every objective, for one class."""
    return {
        "plain": lambda prediction, given: plain(prediction, given),
        "rsm": RSM(0.01, "snr", torch.zeros(1, 1, 1, 1)),
        "minimax": MiniMax(0.1, 0.2, 4, n_classes=1, dim=dim),
    }


def test_all_objectives_are_tried():
    assert made(1).keys() == OBJECTIVES.keys()


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-30, 1e6])
@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_loss_and_gradient_are_finite_where_latents_are_equal(name, count, value):
    """And where the prediction is the noise itself, twice, so that memories hold what comes."""
    given = batch(torch.full((count, 2, 3, 3), value), STEPS[:count])
    objective = made(2 * 3 * 3)[name]
    for _ in range(2):
        prediction = given.noise.clone().requires_grad_()
        loss, parts = objective(prediction, given)
        loss.backward()
        assert loss.isfinite()
        assert prediction.grad.isfinite().all()
        assert all(part.isfinite() for part in parts.values())


@pytest.mark.parametrize("name", L1_WEIGHTINGS)
def test_a_weight_by_noise_level_is_at_most_1_at_all_of_them(name):
    weights = L1_WEIGHTINGS[name](alphas_bar())
    assert weights.isfinite().all()
    assert weights.min() > 0
    assert weights.max() <= 1
