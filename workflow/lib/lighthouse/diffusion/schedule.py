"""The noise schedule of DiT, in float64 as the reference has it."""

import torch
from diffusers import DDPMScheduler

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
