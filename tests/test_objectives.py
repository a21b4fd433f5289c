"""Objectives: RSM's loss by hand, and each weighting of its L1 term."""

import pytest
import torch

from lighthouse.diffusion.sampler import noise_schedule
from lighthouse.priors.objectives import (
    L1_WEIGHTINGS,
    OBJECTIVES,
    Batch,
    make_objective,
    plain,
    rsm,
)

ALPHA_BAR = torch.tensor([0.64, 0.36])
#: Factors at ᾱ = 0.64 and 0.36: √ᾱ, and the signal-to-noise ratio where below 1.
FACTORS = {"none": (1.0, 1.0), "sqrt-alpha-bar": (0.8, 0.6), "snr": (1.0, 0.36 / 0.64)}


def constant(*values):
    """One image of a single value for each of ``values``, (n, 1, 2, 2)."""
    return torch.stack([torch.full((1, 2, 2), v) for v in values])


def batch():
    z0, noise = constant(2.0, -3.0), constant(0.5, 1.0)
    spread = ALPHA_BAR[:, None, None, None]
    z_t = spread.sqrt() * z0 + (1 - spread).sqrt() * noise
    return Batch(z0, z_t, noise, ALPHA_BAR, torch.tensor([0, 1]), torch.arange(2))


def test_the_predicted_image_is_the_true_one_where_the_noise_is():
    rng = torch.Generator().manual_seed(0)
    z0, noise = torch.randn(2, 8, 4, 4, 4, generator=rng, dtype=torch.float64)
    alpha_bar = noise_schedule(1000).alphas_cumprod.double()[[0, 1, 10, 100, 300, 500, 900, 999]]
    spread = alpha_bar[:, None, None, None]
    z_t = spread.sqrt() * z0 + (1 - spread).sqrt() * noise
    found = Batch(z0, z_t, noise, alpha_bar, torch.zeros(8), torch.arange(8)).predicted_z0(noise)
    torch.testing.assert_close(found, z0)


def test_plain_is_the_mean_squared_error_of_the_noise():
    loss, parts = plain(constant(0.5, 3.0), batch())
    assert loss.item() == pytest.approx((0 + 4) / 2)
    assert parts == {"noise": loss}


@pytest.mark.parametrize("weighting", L1_WEIGHTINGS)
def test_rsm_of_two_images_is_the_formula_by_hand(weighting):
    # Of the first image the noise is right, so ẑ₀ = 2. Of the second it is 1.8 instead
    # of 1: ẑ₀ = -3 - √0.64/√0.36 · 0.8 = -4.0667.
    prediction = constant(0.5, 1.8)
    second = 3 + 0.8 / 0.6 * 0.8
    first_factor, second_factor = FACTORS[weighting]
    l1 = (first_factor * 2 + second_factor * second) / 2
    loss, parts = rsm(prediction, batch(), 0.1, weighting)
    assert parts["noise"].item() == pytest.approx(0.8**2 / 2)
    assert parts["l1"].item() == pytest.approx(l1)
    assert loss.item() == pytest.approx(0.8**2 / 2 + 0.1 * l1)


@pytest.mark.parametrize("weighting", L1_WEIGHTINGS)
def test_rsm_at_lambda_zero_is_plain(weighting):
    prediction = constant(0.1, 0.2)
    assert torch.equal(rsm(prediction, batch(), 0.0, weighting)[0], plain(prediction, batch())[0])


def test_the_l1_term_pulls_predictions_towards_smaller_images():
    prediction = batch().noise.clone().requires_grad_()
    rsm(prediction, batch(), 1.0, "sqrt-alpha-bar")[0].backward()
    moved = batch().predicted_z0(prediction.detach() - 0.1 * prediction.grad)
    assert (moved.abs() < batch().z0.abs()).all()


@pytest.mark.parametrize("weighting", sorted(set(L1_WEIGHTINGS) - {"none"}))
def test_a_weighting_never_exceeds_one(weighting):
    factors = L1_WEIGHTINGS[weighting](noise_schedule(1000).alphas_cumprod)
    assert (factors <= 1).all()
    assert (factors > 0).all()


def test_no_weighting_is_one_at_every_noise_level():
    factors = L1_WEIGHTINGS["none"](noise_schedule(1000).alphas_cumprod)
    assert torch.equal(factors, torch.ones(1000))


def test_the_natural_weighting_cancels_the_division_by_root_alpha_bar():
    # The gradient of the penalty with respect to the prediction no longer explodes.
    alpha_bar = noise_schedule(1000).alphas_cumprod[[999]]
    z = torch.zeros(1, 1, 2, 2)
    prediction = torch.ones(1, 1, 2, 2)
    _, parts = rsm(prediction, Batch(z, z, z, alpha_bar, z, z), 1.0, "sqrt-alpha-bar")
    assert parts["l1"].item() == pytest.approx(1, abs=1e-3)


def test_the_registry_makes_the_objectives_with_their_options():
    prediction = constant(0.1, 0.2)
    made = make_objective("rsm", {"lam": 0.3, "l1_weighting": "snr"})
    assert torch.equal(made(prediction, batch())[0], rsm(prediction, batch(), 0.3, "snr")[0])
    assert make_objective("plain", {}) is plain
    assert set(OBJECTIVES) == {"plain", "rsm"}
