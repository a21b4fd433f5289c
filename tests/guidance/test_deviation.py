"""IGD's deviation guidance: away from the most similar of the images finished last."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cosine_similarity

from lighthouse.guidance.deviation import deviation, deviation_gradient
from lighthouse.guidance.state import State
from sampling import context


def state(z, finished):
    """A state of B groups; deviation looks at z and at what is finished alone."""
    return State(
        z=z,
        finished=finished,
        class_mean=z[:, 0],
        alpha_bar=0.3,
        ipc=10,
        noise=torch.full_like(z, float("nan")),
        alpha_bar_before=0.4,
        seed=0,
        label=0,
        images=torch.arange(z.shape[0] * z.shape[1]).view(z.shape[:2]),
        shape=(1, 1, z.shape[-1]),
    )


def drawn(groups=2, free=3, finished=5, dim=16):
    rng = torch.Generator().manual_seed(finished + dim)
    z, others = (
        torch.randn(groups, n, dim, generator=rng, dtype=torch.float64) for n in (free, finished)
    )
    return state(z, others)


@pytest.mark.parametrize("finished", [1, 5])
def test_the_gradient_is_that_of_the_cosine_to_the_most_similar(finished):
    s = drawn(finished=finished)
    z = s.z.clone().requires_grad_()
    cosines = cosine_similarity(z[:, :, None], s.finished[:, None], dim=-1)
    (expected,) = torch.autograd.grad(cosines.amax(-1).sum(), z)
    torch.testing.assert_close(deviation_gradient(s, 64), expected, rtol=1e-10, atol=1e-12)


def test_the_gradient_is_that_computed_by_hand():
    s = state(torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[0.0, 2.0], [5.0, 0.0]]]))
    # u = (.6, .8); most similar is (0, 1), cosine .8: ((0, 1) - .8 u)/5.
    expected = torch.tensor([[[-0.48 / 5, (1 - 0.64) / 5]]])
    torch.testing.assert_close(deviation_gradient(s, 64), expected)


def test_a_step_down_the_gradient_leaves_the_most_similar_image():
    s = drawn(groups=1, free=1)
    moved = s.z - 0.1 * deviation_gradient(s, 64)
    before, after = (cosine_similarity(z, s.finished, dim=-1).max() for z in (s.z, moved))
    assert after < before - 1e-4


def test_images_that_have_left_the_memory_are_not_seen():
    z = torch.tensor([[[1.0, 0.0]]])
    old, new = [1.0, 0.1], [0.0, 1.0]
    s = state(z, torch.tensor([[old, new]]))
    only_new = state(z, torch.tensor([[new]]))
    torch.testing.assert_close(deviation_gradient(s, 1), deviation_gradient(only_new, 1))
    assert not torch.allclose(deviation_gradient(s, 2), deviation_gradient(only_new, 2))


def test_the_scale_of_finished_images_changes_nothing():
    s = drawn()
    longer = replace(s, finished=7 * s.finished)
    torch.testing.assert_close(deviation_gradient(longer, 64), deviation_gradient(s, 64))


def test_the_first_image_of_a_class_is_not_pushed():
    assert torch.equal(deviation_gradient(drawn(finished=0), 64), torch.zeros(2, 3, 16).double())


def test_half_precision_latents_are_pushed_as_precisely_as_their_type_allows():
    s = drawn()
    half = replace(s, z=s.z.bfloat16(), finished=s.finished.bfloat16())
    got, exact = deviation_gradient(half, 64), deviation_gradient(s, 64)
    assert got.dtype == torch.bfloat16
    assert (got.double() - exact).norm() < 0.03 * exact.norm()


def test_the_term_uses_the_configured_memory():
    s = drawn()
    term = deviation({"steps": [612, 918], "memory": 2}, context())
    torch.testing.assert_close(term(s), deviation_gradient(s, 2))
    assert not torch.allclose(term(s), deviation_gradient(s, 5))
