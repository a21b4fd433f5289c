"""A latent that becomes NaN is told with class, seed, image and step, however it came."""

import pytest
import torch

from lighthouse.couplings import iid, joint, sequential
from lighthouse.diffusion.sampler import NonFiniteError, settle
from lighthouse.guidance import Guide
from lighthouse.guidance.dpp import clean_dpp_gradient
from sampling import GUIDED, OPTIONS, Poisoned, at, run
from toy import toy_sets

STEP = 500  # of 0, 250, 500, 749 and 999
CLEAN = [Guide(1.0, lambda state: clean_dpp_gradient(state, 1e-3))]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("guidance", [(), GUIDED, CLEAN], ids=["none", "z_t", "z0"])
@pytest.mark.parametrize("coupling", [iid, joint])
def test_the_image_and_the_step_are_named(model, coupling, guidance, precision, bad):
    """Under joint guidance of clean latents all of the set are NaN at that step."""
    options = {**OPTIONS, "guidance_scale": 1.0, "micro_batch": 12, "precision": precision}
    poisoned = Poisoned(model, at(STEP, 2 * 2 + 1), bad)  # of three classes the last, image 1
    with pytest.raises(NonFiniteError) as error:
        run(poisoned, 2, coupling, guidance, options, classes=[0, 1, 2])
    assert str(error.value) == (
        f"sampling: a latent is not finite at step t={STEP}: class 'cat', seed 0, image 1"
    )


def test_a_term_that_goes_wrong_is_told_by_the_first_image_of_its_set(model):
    def term(state):
        bad = state.label == 1 and state.alpha_bar < 0.5
        return torch.full_like(state.z, torch.nan if bad else 0.0)

    options = {**OPTIONS, "guidance_scale": 1.0}
    with pytest.raises(NonFiniteError, match=r"t=999: class 'bee', seed 0, image 1$"):
        run(model, 2, lambda ipc: sequential(ipc)[1:], [Guide(1.0, term)], options)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_without_a_denoiser_the_image_is_named(bad):
    def alone(z, label):
        z = z.clone()
        z[1, 5] = bad if label == 2 else 0.0
        return z

    with pytest.raises(NonFiniteError) as error:
        settle(toy_sets(3), alone)
    assert str(error.value) == (
        "sampling without a denoiser: a latent is not finite: class 'cat', seed 0, image 1"
    )
