"""Guidance terms: the closed forms are the gradients, and the weights are in the right unit."""

from dataclasses import replace
from inspect import signature

import pytest
import torch

from lighthouse.guidance import Guide, applied_weight, guides_of, with_weights
from lighthouse.guidance.dpp import (
    clean_dpp_gradient,
    cosine_kernel,
    dpp,
    dpp_gradient,
    dpp_loss,
    loss_gradient,
)
from lighthouse.guidance.mean_matching import mean_gradient, mean_loss
from lighthouse.parts.terms import TERMS
from lighthouse.runtime.named import load
from lighthouse.units import mean_pull
from sampling import at_work, context, state

EPSILON = 1e-3
SIZES = [(1, 8), (2, 16), (5, 64), (10, 256), (6, 4)]


def autograd(loss, state):
    """Gradient for the free latents of a loss of the visible ones."""
    z = state.z.clone().requires_grad_()
    return torch.autograd.grad(loss(torch.cat([state.finished, z], dim=1)).sum(), z)[0]


@pytest.mark.parametrize("finished", [0, 1, 4])
@pytest.mark.parametrize(("n", "dim"), SIZES)
def test_the_dpp_gradient_is_that_of_the_dpp_loss(n, dim, finished):
    s = state(n, dim, finished)
    expected = autograd(lambda z: dpp_loss(z, EPSILON), s)
    torch.testing.assert_close(dpp_gradient(s, EPSILON), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("finished", [0, 1, 4])
def test_the_dpp_gradient_of_clean_latents_is_that_of_the_loss_of_the_predicted_set(finished):
    s = state(3, 16, finished)
    clean = s.predicted.clone().requires_grad_()
    # Finished images are given at √ᾱ_t z₀.
    whole = torch.cat([s.finished / s.alpha_bar**0.5, clean], dim=1)
    (expected,) = torch.autograd.grad(dpp_loss(whole, EPSILON).sum(), clean)
    found = clean_dpp_gradient(s, EPSILON)
    torch.testing.assert_close(found, 0.4**0.5 * expected, rtol=1e-7, atol=1e-9)
    assert not torch.allclose(found, dpp_gradient(s, EPSILON), rtol=0.1)


@pytest.mark.parametrize(("n", "dim"), SIZES)
def test_the_mean_gradient_is_that_of_the_mean_loss_under_joint(n, dim):
    s = state(n, dim)
    expected = autograd(lambda z: mean_loss(z, s.class_mean, s.alpha_bar), s)
    torch.testing.assert_close(mean_gradient(s), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("finished", [0, 3])
def test_under_sequential_the_mean_gradient_keeps_the_strength_of_the_whole_set(finished):
    ipc, dim = 10, 16
    s = state(1, dim, finished, ipc=ipc)
    drift = s.visible.mean(1) - 0.3**0.5 * s.class_mean
    torch.testing.assert_close(mean_gradient(s)[:, 0], 2 / (ipc * dim) * drift)


def test_the_loss_of_the_mean_is_an_average_over_the_numbers_of_a_latent():
    z, mean = torch.full((1, 3, 50), 2.0), torch.full((1, 50), 1.0)
    assert mean_loss(z, mean, alpha_bar=0.25).item() == pytest.approx(1.5**2)


def test_the_dpp_loss_of_two_latents_is_the_determinant_by_hand():
    z = torch.tensor([[3.0, 0.0], [3.0, 4.0]], dtype=torch.float64)  # cosine 0.6
    expected = -torch.log(torch.tensor((1 + EPSILON) ** 2 - 0.6**2, dtype=torch.float64))
    torch.testing.assert_close(dpp_loss(z, EPSILON), expected)


def test_the_dpp_gradient_of_a_latent_is_orthogonal_to_it():
    s = state(7, 64, finished=2)
    gradient = dpp_gradient(s, EPSILON)
    cosine = torch.nn.functional.cosine_similarity(gradient, s.z, dim=-1)
    assert cosine.abs().max() < 1e-10


def test_the_dpp_gradient_ignores_the_length_of_other_latents():
    s = state(3, 16, finished=2)
    longer = replace(s, finished=5 * s.finished)
    torch.testing.assert_close(dpp_gradient(s, EPSILON), dpp_gradient(longer, EPSILON))


@pytest.mark.parametrize("finished", [0, 3])
def test_a_step_down_the_dpp_gradient_raises_log_det(finished):
    s = state(4, 32, finished)
    moved = torch.cat([s.finished, s.z - 0.05 * dpp_gradient(s, EPSILON)], dim=1)
    assert (dpp_loss(moved, EPSILON) < dpp_loss(s.visible, EPSILON) - 1e-4).all()


def test_a_step_of_the_mean_term_removes_the_share_of_the_drift_that_mean_pull_says():
    mu, dim = 2000.0, 64
    s = state(5, dim)
    (guide,) = guides_of(at_work(mu_dm=mu), context(latent_dim=dim))
    drift = s.z.mean(1) - 0.3**0.5 * s.class_mean
    left = (s.z - guide.weight * guide.term(s)).mean(1) - 0.3**0.5 * s.class_mean
    torch.testing.assert_close(left, (1 - mean_pull(mu, s.ipc)) * drift)


def test_the_papers_weights_pull_as_the_method_says():
    assert mean_pull(1000, 10) == pytest.approx(0.049, abs=5e-4)
    assert mean_pull(10000, 50) == pytest.approx(0.098, abs=5e-4)
    assert mean_pull(3000, 100) == pytest.approx(0.015, abs=5e-4)


def test_the_dpp_gradient_of_one_latent_alone_is_zero():
    assert dpp_gradient(state(1, 64), EPSILON).abs().max() < 1e-12


def test_groups_do_not_see_each_other():
    s = state(3, 16, finished=1)
    alone = replace(s, z=s.z[:1], finished=s.finished[:1], class_mean=s.class_mean[:1])
    for term in (lambda x: dpp_gradient(x, EPSILON), mean_gradient):
        torch.testing.assert_close(term(alone)[0], term(s)[0])


def test_half_precision_latents_are_pushed_as_precisely_as_their_type_allows():
    s = state(4, 256)
    exact = dpp_gradient(s, EPSILON)
    half = state(4, 256, dtype=torch.bfloat16)
    got = dpp_gradient(half, EPSILON)
    assert got.dtype == torch.bfloat16
    assert (got.double() - exact).norm() < 0.02 * exact.norm()


def test_identical_latents_have_a_finite_gradient():
    z = torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(0)).repeat(1, 50, 1)
    s = replace(state(1, 64), z=z, finished=z[:, :0], class_mean=z[:, 0])
    assert torch.isfinite(dpp_gradient(s, EPSILON)).all()


def test_the_kernel_has_ones_on_its_diagonal():
    kernel = cosine_kernel(state(5, 16).z)
    torch.testing.assert_close(kernel.diagonal(dim1=-2, dim2=-1), torch.ones_like(kernel[..., 0]))


@pytest.mark.parametrize("dim", [64, 256, 4096])
def test_weights_scale_with_the_size_of_a_latent(dim):
    terms = at_work(eta_dpp=100.0, mu_dm=1000.0)
    guides = guides_of(terms, context(latent_dim=dim))
    assert [guide.weight for guide in guides] == [100 * dim / 4096, 1000 * dim / 4096]


def test_a_term_of_weight_zero_is_left_out():
    guides = guides_of(at_work(eta_dpp=0.0, mu_dm=1000.0), context(latent_dim=4096))
    assert guides == [Guide(1000.0, mean_gradient, (0, 1000))]


def test_the_dpp_term_uses_the_configured_epsilon():
    s = state(3, 16)
    term = dpp({"epsilon": 0.5, "kernel": "z_t"}, context())
    torch.testing.assert_close(term(s), dpp_gradient(s, 0.5))
    assert not torch.allclose(term(s), dpp_gradient(s, EPSILON))


@pytest.mark.parametrize(
    ("kernel", "expected"), [("z_t", dpp_gradient), ("z0", clean_dpp_gradient)]
)
def test_the_dpp_term_takes_the_configured_kernel(kernel, expected):
    s = state(3, 16)
    term = dpp({"epsilon": EPSILON, "kernel": kernel}, context())
    torch.testing.assert_close(term(s), expected(s, EPSILON))


@pytest.mark.parametrize(("term", "share"), {"dpp": 1 / 16, "influence": 1, "mode": 1}.items())
def test_a_weight_scales_with_the_size_of_a_latent_where_its_effect_does(term, share):
    assert applied_weight(TERMS[term].at_work(8.0, {}), 256) == 8.0 * share


@pytest.mark.parametrize("term", TERMS.values(), ids=list(TERMS))
def test_every_declared_term_names_a_function_that_makes_it(term):
    assert list(signature(load(term.make)).parameters) == ["options", "context"]


def test_terms_that_were_tuned_go_by_the_weights_that_were_chosen():
    given = [TERMS[name].at_work(None, {"steps": [0, 1000]}) for name in ("dpp", "mean")]
    found = with_weights(given, {"mu_dm": 3.0, "eta_dpp": 5.0})
    assert [(term["name"], term["weight"]) for term in found] == [("dpp", 5.0), ("mean", 3.0)]
    assert [term["weight"] for term in given] == [None, None]


def test_a_kernel_without_a_factor_gives_no_number_instead_of_an_error():
    """Latents that are not finite, which the sampler names, and a kernel that is not positive."""
    z = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    z[1, 0, 0] = torch.nan
    found = loss_gradient(z, 1e-3)
    assert found[0].isfinite().all()
    assert found[1].isnan().all()
    assert loss_gradient(torch.ones(2, 8), -1.0).isnan().all()
