"""The loss of images that nothing was trained on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lighthouse.diffusion.schedule import alphas_bar
from lighthouse.priors import held_out
from lighthouse.priors.held_out import held_out_loss
from toy import toy_denoiser

LATENTS = np.random.default_rng(0).standard_normal((7, 4, 4, 4), dtype=np.float32)
LABELS = np.arange(7) % 3


class Spy(nn.Module):
    """Says nothing of the noise; or ``knows`` it, by the images of the class it is asked of."""

    def __init__(self, knows=False):
        super().__init__()
        self.weight, self.knows, self.asked = nn.Parameter(torch.zeros(())), knows, []

    def __call__(self, z, timestep, class_labels):
        self.asked += zip(timestep.tolist(), class_labels.tolist(), strict=True)
        said = torch.stack(list(map(self.noise, z, timestep, class_labels)))
        return SimpleNamespace(sample=torch.cat([said, said], dim=1))

    def noise(self, z, t, label):
        """The least noise that leads to z from an image of the class: that of the true one."""
        if not self.knows:
            return torch.zeros_like(z)
        images, alpha_bar = torch.from_numpy(LATENTS[label.item() == LABELS]), alphas_bar()[t]
        noises = (z - alpha_bar.sqrt() * images) / (1 - alpha_bar).sqrt()
        return noises[noises.square().flatten(1).sum(1).argmin()]


def test_every_step_is_asked_of_once_under_each_images_own_class():
    spy = Spy()
    loss = held_out_loss(spy, LATENTS, LABELS)
    assert sorted(t for t, _ in spy.asked) == list(range(1000))
    counts = np.bincount([label for _, label in spy.asked])
    assert counts.tolist() == [428, 286, 286]  # six images come 143 times, the last 142
    assert loss == pytest.approx(1, abs=0.02)  # saying nothing of noise of variance 1


def test_a_model_that_knows_the_noise_has_no_loss():
    assert held_out_loss(Spy(knows=True), LATENTS, LABELS) < 0.1


def test_the_loss_repeats_and_does_not_depend_on_the_size_of_calls(monkeypatch):
    model = toy_denoiser()
    one = held_out_loss(model, LATENTS, LABELS)
    assert one == held_out_loss(model, LATENTS, LABELS)
    monkeypatch.setattr(held_out, "AT_ONCE", 333)
    assert held_out_loss(model, LATENTS, LABELS) == pytest.approx(one, rel=1e-5)


def test_of_no_image_there_is_no_loss():
    assert held_out_loss(toy_denoiser(), LATENTS[:0], LABELS[:0]) is None
