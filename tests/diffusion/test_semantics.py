"""What a step makes of the denoiser's output: the reference's formulas, in float64."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lighthouse.couplings import iid, joint
from lighthouse.diffusion.denoiser import null_label, predict
from lighthouse.diffusion.guided import GuidedDenoiser
from lighthouse.diffusion.sampler import (
    sample,
    sets_of,
)
from lighthouse.diffusion.schedule import ancestral
from lighthouse.guidance import Guide
from lighthouse.runtime.rng import image_generators
from sampling import DIT, GUIDED, OPTIONS, alphas_bar, relative, run, space_timesteps
from toy import CLASSES, noise_of, toy_denoiser


class Formula:
    """A denoiser that numpy can repeat: noise and variance by label, far from each other."""

    def __init__(self, channels, learned_variance=True):
        self.config = SimpleNamespace(
            in_channels=channels,
            out_channels=channels * (1 + learned_variance),
            num_embeds_ada_norm=len(CLASSES),
        )

    def __call__(self, z, timestep, class_labels):
        noise, variance = self.parts(
            z, timestep.view(-1, 1, 1, 1) / 1000, class_labels.view(-1, 1, 1, 1), torch.tanh
        )
        learned = self.config.out_channels > self.config.in_channels
        return SimpleNamespace(sample=torch.cat([noise, variance], 1) if learned else noise)

    @staticmethod
    def parts(z, time, label, tanh):
        return 0.8 * z + 0.1 * label + 0.2 * time, tanh(0.7 * z + 0.4 * label - 0.5)


def reference_sample(z, draws, label, steps, scale, guided_channels):
    """Ancestral sampling of DiT in float64 numpy; one latent (c, h, w)."""
    bar = alphas_bar().numpy()[space_timesteps(steps)]
    before = np.append(1.0, bar[:-1])
    beta = 1 - bar / before
    small = beta * (1 - before) / (1 - bar)
    for i in reversed(range(steps)):
        time = space_timesteps(steps)[i] / 1000
        noise, v = Formula.parts(z, time, label, np.tanh)
        unconditional, _ = Formula.parts(z, time, len(CLASSES), np.tanh)
        g = guided_channels
        noise[:g] = unconditional[:g] + scale * (noise[:g] - unconditional[:g])
        z0 = z / np.sqrt(bar[i]) - np.sqrt(1 / bar[i] - 1) * noise
        z = (
            beta[i] * np.sqrt(before[i]) / (1 - bar[i]) * z0
            + (1 - before[i]) * np.sqrt(1 - beta[i]) / (1 - bar[i]) * z
        )
        if i:
            share = (v + 1) / 2
            log_variance = share * np.log(beta[i]) + (1 - share) * np.log(small[i])
            z = z + np.exp(0.5 * log_variance) * next(draws)
    return z


@pytest.mark.parametrize("channels", [4, 1])
@pytest.mark.parametrize("steps", [2, 7])
def test_dit_semantics_are_the_references_formulas(steps, channels):
    shape = (channels, 4, 4)
    sets = sets_of("toy", CLASSES, torch.zeros(3, *shape), [0], 2)
    options = {**DIT, "steps": steps, "guidance_scale": 3.0}
    got = sample(Formula(channels), sets, iid(2), (), options).latents
    (rng,) = image_generators(0, "toy", "cat", [1])
    draws = (torch.randn(shape, generator=rng).double().numpy() for _ in range(steps))
    expected = reference_sample(next(draws), draws, 2, steps, 3.0, guided_channels=3)
    np.testing.assert_allclose(got[2, 1], expected, rtol=1e-4, atol=1e-4 * abs(expected).max())


def test_fifty_steps_are_those_of_the_references_respacing():
    for steps in (2, 7, 50, 250):
        assert ancestral(steps).timesteps.tolist() == space_timesteps(steps)[::-1]


def test_dit_guides_three_channels_and_keeps_the_conditional_rest():
    model = toy_denoiser(learned_variance=True)
    z, t, label = noise_of(0, "ant", 0)[None], torch.tensor([400]), torch.tensor([0])
    with torch.no_grad():
        given = predict(model, z, t, label)
        nothing = predict(model, z, t, torch.tensor([null_label(model)]))
        denoiser = GuidedDenoiser(model, "toy", {**DIT, "guidance_scale": 4.0})
        got = denoiser(z, torch.tensor(400), label)
    torch.testing.assert_close(got[:, :3], 4 * given[:, :3] - 3 * nothing[:, :3])
    torch.testing.assert_close(got[:, 3:], given[:, 3:])


def test_diffusers_semantics_drop_a_learned_variance():
    class Half:
        def __init__(self, model):
            self.model, self.config = model, model.config

        def __call__(self, z, timestep, class_labels):
            full = self.model(z, timestep=timestep, class_labels=class_labels).sample
            return SimpleNamespace(sample=full[:, :4])

    model = toy_denoiser(learned_variance=True)
    assert torch.equal(run(model, 2, joint, GUIDED), run(Half(model), 2, joint, GUIDED))


def test_dit_semantics_of_a_model_without_learned_variance_are_refused_before_any_step():
    asked = []
    model = Formula(4, learned_variance=False)
    model.__class__ = type("Asked", (Formula,), {"__call__": lambda *a, **k: asked.append(a)})
    with pytest.raises(ValueError, match=r"'dit' takes the variance .* that of toy predicts noise"):
        run(model, 2, options=DIT)
    assert not asked


def test_bf16_is_the_denoisers_alone(model):
    seen = []

    def spy(state):
        seen.append((torch.is_autocast_enabled("cpu"), state.z.dtype))
        return torch.zeros_like(state.z)

    exact = run(model, 2, joint, [Guide(1.0, spy)])
    rough = run(model, 2, joint, [Guide(1.0, spy)], {**OPTIONS, "precision": "bf16"})
    assert set(seen) == {(False, torch.float32)}
    assert rough.dtype == torch.float32
    assert 1e-5 < relative(rough, exact) < 0.1
