"""Guidance at the edge of what numbers hold: zeros, equal latents, tiny, huge, many, one."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.guidance.clusters import Clusters
from lighthouse.guidance.context import Context
from lighthouse.guidance.deviation import deviation_gradient
from lighthouse.guidance.dpp import clean_dpp_gradient, cosine_kernel, dpp_loss, loss_gradient
from lighthouse.guidance.mean_matching import mean_gradient
from lighthouse.guidance.support import Cloud, RealLatents, direction, energy, settled, units
from lighthouse.guidance.transport import transport_gradient
from lighthouse.runtime.errors import DataError
from sampling import state
from toy import CLASSES, DIM, write_latents

EPSILON = 1e-3
few = settings(derandomize=True, database=None, max_examples=40, deadline=None)


@st.composite
def latents(draw, dtype=torch.float32, scales=(1e-30, 1e-12, 1.0, 1e12, 1e30)):
    """One to six latents (N, D) of one to five numbers, of any scale, some equal or zero."""
    n, dim = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**20)))
    z = torch.randn(n, dim, generator=rng, dtype=torch.float64)
    z[draw(st.integers(0, n - 1))] = z[0]
    z[draw(st.integers(0, n - 1))] *= draw(st.sampled_from((0.0, 1.0)))
    return (z * draw(st.sampled_from(scales))).to(dtype)


@few
@given(latents())
def test_a_kernel_is_one_of_cosines_at_any_scale(z):
    kernel = cosine_kernel(z)
    assert torch.equal(kernel, kernel.mT)
    assert torch.linalg.eigvalsh(kernel.double()).min() > -1e-6
    torch.testing.assert_close(kernel.diagonal(), (z != 0).any(1).float())
    order = torch.arange(len(z)).flip(0)
    torch.testing.assert_close(cosine_kernel(z[order]), kernel[order][:, order])
    torch.testing.assert_close(cosine_kernel(2.0**20 * z), kernel)


def cloud(z):
    """Seven real latents beside z, of about length 1."""
    return Cloud.of(torch.randn(7, z.shape[1], generator=torch.Generator().manual_seed(1)).to(z))


def places(z):
    """Three clusters beside z, two of them in one place, and one without a latent."""
    centres = torch.randn(3, z.shape[1], generator=torch.Generator().manual_seed(2)).to(z)
    centres[1] = centres[0]
    return Clusters(centres, torch.tensor([0.3, 0.7, 0.0]).to(z))


def terms(z):
    """Every gradient by latents (N, D), the last two of which are free where there are three."""
    finished, free = (z[:-2], z[-2:]) if len(z) > 2 else (z[:0], z)
    s = replace(
        state(1, z.shape[1], groups=1, dtype=z.dtype),
        z=free[None],
        finished=finished[None],
        noise=torch.zeros_like(free)[None],
        ipc=len(z),
    )
    return {
        "dpp": loss_gradient(z, EPSILON),
        "clean dpp": clean_dpp_gradient(s, EPSILON),
        "mean": mean_gradient(s),
        "deviation": deviation_gradient(s, 64),
        "support": direction(free, cloud(z), finished),
        "transport": transport_gradient(free, finished, places(z), 0.1, 5),
    }


@few
@given(latents())
def test_gradients_of_finite_latents_are_finite(z):
    for name, found in terms(z).items():
        assert found.isfinite().all(), name


@few
@given(latents())
def test_a_latent_of_zeros_is_not_pushed(z):
    zero = (z == 0).all(1)
    assert (loss_gradient(z, EPSILON)[zero] == 0).all()
    assert (terms(z)["deviation"][0][zero[-2:]] == 0).all()


@few
@given(latents(dtype=torch.float64, scales=(1.0,)))
def test_gradients_do_not_know_the_order_of_images(z):
    order = torch.arange(len(z)).flip(0)
    real = cloud(z)
    for gradient in (lambda x: loss_gradient(x, EPSILON), lambda x: direction(x, real, x[:0])):
        torch.testing.assert_close(gradient(z[order]), gradient(z)[order], rtol=1e-6, atol=1e-8)


@few
@given(latents(dtype=torch.float64, scales=(1e-6, 1.0, 1e6)))
def test_the_dpp_gradient_is_autograds(z):
    leaf = z.clone().requires_grad_()
    dpp_loss(leaf, EPSILON).backward()
    size = 1 / z.norm(dim=1).max().item() if z.any() else 1.0
    expected = leaf.grad.nan_to_num(nan=0.0)  # of a latent of zeros
    torch.testing.assert_close(loss_gradient(z, EPSILON), expected, rtol=1e-5, atol=1e-7 * size)


def test_ordinary_latents_have_the_gradient_of_the_plain_formula_to_the_bit():
    z = state(6, 64, dtype=torch.float32).z
    norm = z.norm(dim=-1, keepdim=True)
    unit = z / norm
    kernel = unit @ unit.mT
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel + EPSILON * torch.eye(6)))
    along = (inverse * kernel).sum(-1, keepdim=True)
    plain = -2 / norm * (inverse @ unit - unit * along)
    assert torch.equal(loss_gradient(z, EPSILON), plain)
    assert torch.equal(cosine_kernel(z), kernel)


def test_ordinary_latents_have_the_units_of_the_plain_formula_to_the_bit():
    z, real = (state(n, 64, groups=1, dtype=torch.float32).z[0] for n in (6, 20))
    squares = real.square().sum(-1)
    lengths = z.square().sum(-1, keepdim=True) + squares
    inverse = torch.addmm(lengths, z, real.mT, alpha=-2).rsqrt()
    total = inverse.sum(-1, keepdim=True)
    found = units(z, real, squares)
    assert torch.equal(found[0], z * total - inverse @ real)
    assert torch.equal(found[1], total)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_kernel_of_half_precision_latents_is_taken_in_float32(dtype):
    """Squares of numbers above 256, or sums of many, are more than float16 holds."""
    z = (300 * state(5, 4096, groups=1).z[0]).to(dtype)
    kernel = cosine_kernel(z)
    assert kernel.dtype == torch.float32
    torch.testing.assert_close(kernel.double(), cosine_kernel(z.double()), rtol=0, atol=1e-6)
    assert loss_gradient(z, EPSILON).isfinite().all()
    assert dpp_loss(z, EPSILON).isfinite()


@pytest.mark.parametrize("count", [2, 50])
def test_equal_latents_have_the_log_det_of_the_jitter(count):
    """K of ones has the eigenvalue N once, and 0 otherwise."""
    z = torch.ones(count, 8, dtype=torch.float64)
    expected = -(count - 1) * torch.log(torch.tensor(EPSILON)) - torch.log(torch.tensor(count))
    assert dpp_loss(z, EPSILON).item() == pytest.approx(expected.item(), rel=1e-3)
    assert loss_gradient(z, EPSILON).abs().max() < 1e-9


@few
@given(latents(dtype=torch.float64, scales=(1.0, 1e6)))
def test_the_energy_of_a_set_among_itself_is_that_of_no_other(z):
    """E, less the term of the real ones alone, is the energy distance: 0 of equal sets."""
    alone = torch.cdist(z, z).mean()
    rest = 1e-6 * float(z.abs().max())
    assert (energy(z, z) - alone).item() == pytest.approx(0, abs=rest)
    other = z + torch.linspace(-1, 1, z.shape[1], dtype=z.dtype)
    assert energy(other, z) - alone >= -rest


@settings(few, max_examples=8)
@given(latents(dtype=torch.float64, scales=(1.0,)))
def test_points_settle_at_the_only_place_of_a_class(z):
    """One real image, or equal ones: the points go there, and no division by a distance of 0 is."""
    place = torch.full((3, z.shape[1]), 0.5, dtype=z.dtype)
    for real in (place[:1], place):
        found = settled(z, Cloud.of(real))
        torch.testing.assert_close(found, place[:1].expand_as(z), rtol=0, atol=1e-2)


def test_latents_that_are_not_finite_are_not_taken_for_latents_in_one_place():
    real = Cloud.of(state(5, 8, groups=1).z[0])
    for bad in (torch.nan, torch.inf):
        z = torch.zeros(2, 8, dtype=torch.float64)
        z[1, 3] = bad
        assert not direction(z, real, z[:0])[1].isfinite().all()


def test_real_latents_that_are_not_finite_are_told(tmp_path):
    points = torch.zeros(6, DIM).numpy()
    points[0] = 1
    points[4, 2] = float("nan")
    folder = write_latents(tmp_path / "latents", points, [0, 0, 0, 1, 1, 2])
    real = RealLatents(Context("toy", CLASSES, 1, DIM, latents=folder))
    assert real.of(0).spread > 0
    with pytest.raises(DataError, match=f"class {CLASSES[1]!r} are not finite"):
        real.of(1)
