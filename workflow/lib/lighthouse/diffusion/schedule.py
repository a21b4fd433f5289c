"""The noise schedule of DiT, in float64 as the reference has it."""

from collections.abc import Callable
from itertools import pairwise

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from lighthouse.steps import TRAIN_STEPS, respaced

#: DiT's linear betas.
FIRST_BETA, LAST_BETA = 1e-4, 2e-2


def betas() -> torch.Tensor:
    """β_t, (1000,) float64."""
    return torch.linspace(FIRST_BETA, LAST_BETA, TRAIN_STEPS, dtype=torch.float64)


def alphas_bar() -> torch.Tensor:
    """ᾱ_t = Π (1 - β_s), s ≤ t, (1000,) float64."""
    return (1 - betas()).cumprod(0)


def ancestral(steps: int, variance_type: str = "fixed_small") -> DDPMScheduler:
    """Ancestral DDPM respaced to ``steps`` as DiT does (``steps.respaced``).

    variance_type: of a step, in diffusers' words. diffusers keeps its tables in float32, of
    which 1 - ᾱ_t of the first steps has three digits: here they are float64, and what is
    reckoned from them is rounded once, where it meets a latent.
    """
    scheduler = DDPMScheduler(
        num_train_timesteps=TRAIN_STEPS,
        beta_start=FIRST_BETA,
        beta_end=LAST_BETA,
        clip_sample=False,
        variance_type=variance_type,
    )
    scheduler.betas, scheduler.alphas = betas(), 1 - betas()
    scheduler.alphas_cumprod, scheduler.one = alphas_bar(), torch.ones((), dtype=torch.float64)
    scheduler.set_timesteps(timesteps=respaced(steps)[::-1])
    return scheduler


def places(scheduler: DDPMScheduler) -> list[tuple[int, int]]:
    """The steps t of a scheduler, each with the one behind it, nearer to the image; -1 is none."""
    return [*pairwise([*scheduler.timesteps.tolist(), -1])]


def stepped(
    scheduler: DDPMScheduler,
    prediction: Tensor,
    place: tuple[int, int],
    z: Tensor,
    fresh: Callable[[], Tensor],
) -> Tensor:
    """z at the next step, (n, c, h, w), of the denoiser's ``prediction`` for z_t.

    place: of ``places``. fresh: draws the step's noise; none is drawn at t = 0. What diffusers'
    ``DDPMScheduler.step`` computes, to the byte; that one brings its noise to an accelerator such
    that each waits for the other.
    """
    alpha, before = (_alpha_bar(scheduler, t) for t in place)
    noise, own = prediction[:, : z.shape[1]], prediction[:, z.shape[1] :]
    ratio = alpha / before
    clean = (z - (1 - alpha) ** 0.5 * noise) / alpha**0.5
    of_clean = before**0.5 * (1 - ratio) / (1 - alpha)
    of_noisy = ratio**0.5 * (1 - before) / (1 - alpha)
    mean = of_clean * clean + of_noisy * z
    if place[0] == 0:
        return mean
    # diffusers' floor, below the least variance of any step: no datum comes under it.
    least = ((1 - before) / (1 - alpha) * (1 - ratio)).clamp(min=1e-20)
    if scheduler.variance_type == "learned_range":
        share = (own + 1) / 2
        log_variance = share * (1 - ratio).log() + (1 - share) * least.log()
        return mean + torch.exp(0.5 * log_variance) * fresh()
    return mean + least**0.5 * fresh()


def _alpha_bar(scheduler: DDPMScheduler, t: int) -> Tensor:
    return scheduler.alphas_cumprod[t] if t >= 0 else scheduler.one
