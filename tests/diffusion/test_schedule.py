"""The noise schedule: the reference's numbers, in float64."""

import numpy as np
import pytest
import torch

from lighthouse.diffusion.schedule import alphas_bar, ancestral, betas, places, stepped


def test_betas_are_linear_in_float64():
    np.testing.assert_allclose(betas(), np.linspace(1e-4, 2e-2, 1000), rtol=1e-15)
    assert alphas_bar().dtype == torch.float64


def test_alpha_bar_is_the_product_of_what_each_step_keeps():
    expected = np.cumprod(1 - np.linspace(1e-4, 2e-2, 1000))
    np.testing.assert_allclose(alphas_bar(), expected, rtol=1e-13)
    # In float32 the first step's noise has three digits: 1.0001e-4 or 0.9998e-4.
    assert (1 - alphas_bar()[0]).item() == pytest.approx(1e-4, rel=1e-12)


def test_the_sampler_reckons_with_these():
    scheduler = ancestral(50)
    assert torch.equal(scheduler.alphas_cumprod, alphas_bar())
    noise = torch.full((1, 1, 1, 1), 0.5)
    z = torch.full((1, 1, 1, 1), 0.25)
    found = scheduler.step(noise, torch.tensor(0), z).prev_sample
    bar = 1 - 1e-4
    expected = (0.25 - (1 - bar) ** 0.5 * 0.5) / bar**0.5
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("variance_type", ["fixed_small", "learned_range"])
def test_a_step_has_the_bytes_of_diffusers_own(variance_type):
    scheduler = ancestral(7, variance_type)
    rng = torch.Generator().manual_seed(0)
    z, said = torch.randn(2, 4, 8, 8, generator=rng), torch.randn(2, 8, 8, 8, generator=rng)
    said = said if variance_type == "learned_range" else said[:, :4]
    for place in places(scheduler):
        own = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
        expected = scheduler.step(said, torch.tensor(place[0]), z, generator=own).prev_sample
        again = [torch.Generator().manual_seed(seed) for seed in (1, 2)]

        def fresh(again=again):
            return torch.stack([torch.randn(4, 8, 8, generator=each) for each in again])

        assert torch.equal(stepped(scheduler, said, place, z, fresh), expected)
        # As much is drawn, too: none at the last step.
        assert all(map(torch.equal, *([g.get_state() for g in gs] for gs in (own, again))))
    assert place == (0, -1)
