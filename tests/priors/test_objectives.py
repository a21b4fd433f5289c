"""Objectives: RSM's loss by hand, each weighting of its L1 term, and the variational bound."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from lighthouse.diffusion.schedule import ancestral
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.priors.batch import Batch
from lighthouse.priors.objectives import L1_CENTRES, L1_WEIGHTINGS, RSM, make_objective, plain
from lighthouse.priors.variance import VariationalBound

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
    two = torch.arange(2)
    return Batch(z0, z_t, noise, two, ALPHA_BAR, two, two, two)


def rsm(prediction, batch, lam, weighting):
    """RSM's loss as M Eq. 4 has it: latents are measured from 0."""
    return RSM(lam, weighting, torch.zeros(2, 1, 1, 1))(prediction, batch)


def test_the_predicted_image_is_the_true_one_where_the_noise_is():
    rng = torch.Generator().manual_seed(0)
    z0, noise = torch.randn(2, 8, 4, 4, 4, generator=rng, dtype=torch.float64)
    alpha_bar = ancestral(1000).alphas_cumprod.double()[[0, 1, 10, 100, 300, 500, 900, 999]]
    spread = alpha_bar[:, None, None, None]
    z_t = spread.sqrt() * z0 + (1 - spread).sqrt() * noise
    eight = torch.arange(8)
    batch = Batch(z0, z_t, noise, eight, alpha_bar, eight, eight, eight)
    torch.testing.assert_close(batch.predicted_z0(noise), z0)


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
    factors = L1_WEIGHTINGS[weighting](ancestral(1000).alphas_cumprod)
    assert (factors <= 1).all()
    assert (factors > 0).all()


def test_no_weighting_is_one_at_every_noise_level():
    factors = L1_WEIGHTINGS["none"](ancestral(1000).alphas_cumprod)
    assert torch.equal(factors, torch.ones(1000))


def test_the_natural_weighting_cancels_the_division_by_root_alpha_bar():
    # The gradient of the penalty with respect to the prediction no longer explodes.
    alpha_bar = ancestral(1000).alphas_cumprod[[999]]
    z = torch.zeros(1, 1, 2, 2)
    prediction = torch.ones(1, 1, 2, 2)
    one = torch.zeros(1, dtype=torch.int64)
    _, parts = rsm(prediction, Batch(z, z, z, one, alpha_bar, one, one, one), 1.0, "sqrt-alpha-bar")
    assert parts["l1"].item() == pytest.approx(1, abs=1e-3)


def test_a_centre_is_what_the_l1_term_measures_from_by_the_true_class():
    # ẑ₀ is 2 for the first image and -4.0667 for the second, whose label was dropped.
    means = constant(0.5, -3.5)
    null = batch()
    dropped = replace(null, labels=torch.tensor([0, 2]), classes=torch.tensor([1, 0]))
    second = 3 + 0.8 / 0.6 * 0.8
    for name, expected in (("none", 2 + second), ("class-mean", 5.5 + second + 0.5)):
        objective = RSM(0.1, "none", L1_CENTRES[name](means))
        loss, parts = objective(constant(0.5, 1.8), dropped)
        assert parts["l1"].item() == pytest.approx(expected / 2)
        assert loss.item() == pytest.approx(0.8**2 / 2 + 0.1 * expected / 2)


def test_a_centred_penalty_pulls_predictions_towards_the_class_mean():
    means = constant(2.5, -1.0)
    prediction = batch().noise.clone().requires_grad_()
    RSM(1.0, "sqrt-alpha-bar", means)(prediction, batch())[0].backward()
    moved = batch().predicted_z0(prediction.detach() - 0.1 * prediction.grad)
    assert ((moved - means).abs() < (batch().z0 - means).abs()).all()


OPTIONS = {
    "plain": {},
    "rsm": {"lambda": 0.3, "l1_weighting": "snr", "l1_centre": "none"},
    "minimax": {"positive": 0.5, "negative": 0.25, "memory": 3},
}


def made_of(name):
    return make_objective(OBJECTIVES[name].make, OPTIONS[name], np.zeros((2, 1, 2, 2), np.float32))


def test_the_registry_makes_the_objectives_with_their_options():
    assert set(OBJECTIVES) == set(OPTIONS)
    prediction = constant(0.1, 0.2)
    made = {name: made_of(name) for name in OBJECTIVES}
    noise = plain(prediction, batch())[0]
    assert torch.equal(made["plain"](prediction, batch())[0], noise)
    assert torch.equal(made["rsm"](prediction, batch())[0], rsm(prediction, batch(), 0.3, "snr")[0])
    made["minimax"](prediction, batch())
    loss, parts = made["minimax"](prediction, batch())
    weighted = 0.5 * parts["representative"] + 0.25 * parts["diverse"]
    assert abs(weighted) > 0.1
    torch.testing.assert_close(loss, noise + weighted)
    assert made["minimax"].real.shape == (2, 3, 4)


@pytest.mark.parametrize(("name", "keeps"), [("plain", False), ("rsm", False), ("minimax", True)])
def test_what_an_objective_keeps_is_in_its_state(name, keeps):
    assert bool(made_of(name).state_dict()) == keeps


# The variational bound of a learned variance.

BETAS = torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64)
ALPHA_BARS = (1 - BETAS).cumprod(0)


def noisy(t, std=1.0):
    """A batch of one image at step t, with a prediction and a v somewhere in -1.3…1.3."""
    rng = torch.Generator().manual_seed(t)
    z0, noise, prediction = std * torch.randn(3, 1, 2, 4, 4, generator=rng, dtype=torch.float64)
    variance = 2.6 * torch.rand(1, 2, 4, 4, generator=rng, dtype=torch.float64) - 1.3
    alpha_bar = ALPHA_BARS[[t]]
    z_t = alpha_bar.sqrt() * z0 + (1 - alpha_bar).sqrt() * noise
    prediction = noise + 0.1 * prediction
    one = torch.zeros(1)
    batch = Batch(z0, z_t, noise, torch.tensor([t]), alpha_bar, one, one, one)
    return batch, prediction, variance


def posterior(z0, z_t, t):
    """Mean and variance of q(z_{t-1} | z_t, z₀): Bayes' rule on two Gaussians (DDPM, Eq. 6-7)."""
    prior_mean, prior_variance = ALPHA_BARS[t - 1].sqrt() * z0, 1 - ALPHA_BARS[t - 1]
    precision = 1 / prior_variance + (1 - BETAS[t]) / BETAS[t]
    mean = (prior_mean / prior_variance + (1 - BETAS[t]).sqrt() * z_t / BETAS[t]) / precision
    return mean, 1 / precision


@pytest.mark.parametrize("t", [1, 2, 50, 500, 999])
def test_the_bound_is_the_divergence_of_two_normal_distributions_in_bits(t):
    batch, prediction, v = noisy(t)
    mean, least = posterior(batch.z0, batch.z_t, t)
    log_variance = (v + 1) / 2 * BETAS[t].log() + (1 - v) / 2 * least.log()
    model_mean, _ = posterior(batch.predicted_z0(prediction), batch.z_t, t)
    expected = kl_divergence(
        Normal(mean, least.sqrt()), Normal(model_mean, (log_variance / 2).exp())
    ).mean() / math.log(2)
    found = VariationalBound(BETAS)(v, prediction, batch).bits
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


def test_at_the_last_step_the_bound_is_the_likelihood_of_the_bin():
    # Values beyond 0.999 belong to the outer bins, which are open.
    batch, prediction, v = noisy(0, std=0.25)
    batch.z0[0, 0, 0, 0], batch.z0[0, 0, 0, 1] = 1.0, -1.0
    mean = batch.predicted_z0(prediction)
    low = BETAS[1] * (1 - ALPHA_BARS[0]) / (1 - ALPHA_BARS[1])
    log_variance = (v + 1) / 2 * BETAS[0].log() + (1 - v) / 2 * low.log()
    normal = Normal(mean, (log_variance / 2).exp())
    above, below = normal.cdf(batch.z0 + 1 / 255), normal.cdf(batch.z0 - 1 / 255)
    above[0, 0, 0, 0], below[0, 0, 0, 1] = 1, 0
    expected = -(above - below).clamp(min=1e-12).log().mean() / math.log(2)
    found = VariationalBound(BETAS)(v, prediction, batch).bits
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)


def test_likelihoods_that_were_held_are_counted_at_the_last_step_alone():
    batch, prediction, v = noisy(0, std=0.25)
    exact = VariationalBound(BETAS)(v, prediction, batch)
    far = VariationalBound(BETAS)(v, prediction + 1e4, batch)
    later, said, own = noisy(500)
    assert (int(exact.floored), int(exact.judged)) == (0, batch.z0.numel())
    assert 0 < int(far.floored) <= int(far.judged) == batch.z0.numel()
    assert [int(n) for n in VariationalBound(BETAS)(own, said + 1e4, later)[1:]] == [0, 0]


def test_steps_of_a_batch_are_judged_apart():
    parts = [noisy(t, std=0.3) for t in (0, 700)]
    batches, predictions, variances = zip(*parts, strict=True)
    together = Batch(*(torch.cat(values) for values in zip(*map(fields_of, batches), strict=True)))
    bound = VariationalBound(BETAS)
    apart = torch.stack([bound(v, p, b).bits for b, p, v in parts]).mean()
    found = bound(torch.cat(variances), torch.cat(predictions), together).bits
    torch.testing.assert_close(found, apart)


def fields_of(batch):
    return [getattr(batch, field.name) for field in fields(batch)]


def test_the_bound_trains_the_variance_and_not_the_mean():
    batch, prediction, v = noisy(300)
    prediction.requires_grad_()
    v.requires_grad_()
    VariationalBound(BETAS)(v, prediction, batch).bits.backward()
    assert prediction.grad is None
    assert (v.grad != 0).all()


@pytest.mark.parametrize("t", [0, 1, 999])
def test_the_bound_and_its_gradient_are_finite_far_from_the_truth(t):
    batch, prediction, v = noisy(t)
    v.requires_grad_()
    bound = VariationalBound(BETAS)(v, prediction + 5, batch).bits
    bound.backward()
    assert torch.isfinite(bound)
    assert torch.isfinite(v.grad).all()


def test_the_first_images_of_a_batch_are_a_batch():
    whole, found = batch(), batch().first(1)
    for one, all_of_them in zip(fields_of(found), fields_of(whole), strict=True):
        assert torch.equal(one, all_of_them[:1])
