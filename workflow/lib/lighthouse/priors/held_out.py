"""How well a prior denoises images that nothing was trained on."""

import numpy as np
import torch
from torch import Tensor, nn

from lighthouse.diffusion.denoiser import predict
from lighthouse.diffusion.schedule import alphas_bar
from lighthouse.priors.batch import shares
from lighthouse.runtime.precision import full_float32
from lighthouse.runtime.rng import generator
from lighthouse.steps import TRAIN_STEPS

#: Latents in one call of the denoiser.
AT_ONCE = 50


@torch.no_grad()
def held_out_loss(model: nn.Module, latents: np.ndarray, labels: np.ndarray) -> float | None:
    """E‖ε - ε_θ(z_t, t, c)‖², a mean over elements, at each of the 1000 steps once.

    ``latents``: z₀ of held-out images, (n, c, h, w) float32; ``labels``: (n,). The images take
    their turns at the steps; which one comes when, and its noise, are the same for every model
    of a dataset, so that losses compare. None of no images. On the model's device, in float32.
    """
    if not len(labels):
        return None
    full_float32()
    device = next(model.parameters()).device
    rng, channels = generator("held-out"), latents.shape[1]
    turns = torch.randperm(TRAIN_STEPS, generator=rng) % len(labels)
    z0, classes = torch.from_numpy(latents)[turns], torch.as_tensor(labels)[turns]
    noise = torch.randn(z0.shape, generator=rng)
    errors: list[Tensor] = []
    for t in torch.arange(TRAIN_STEPS).split(AT_ONCE):
        clean, noisy = shares(alphas_bar()[t], z0)
        z_t = clean * z0[t] + noisy * noise[t]
        found = predict(model, z_t.to(device), t.to(device), classes[t].to(device))
        errors.append((found[:, :channels].cpu() - noise[t]).square().mean((1, 2, 3)))
    return torch.cat(errors).mean().item()
