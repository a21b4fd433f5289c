"""DPP repulsion: L_DPP = -log det(K + εI), K the cosines of a class's latents (M Eq. 5–6)."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.directions import directions
from lighthouse.guidance.state import State


def cosine_kernel(z: Tensor) -> Tensor:
    """K_ij = cos(z_i, z_j) of flattened latents (…, N, D): (…, N, N), in float32 at least.

    Row and column of a latent of zeros are 0 (``directions``).
    """
    unit = directions(z)[0]
    return unit @ unit.mT


def dpp_loss(z: Tensor, epsilon: float) -> Tensor:
    """L_DPP of latents (…, N, D): (…).

    Equal latents, or more than D of them, make K singular: ε, which the formula has, and which the
    config holds above 0, is then its least eigenvalue.
    """
    kernel = cosine_kernel(z)
    return -torch.logdet(kernel + epsilon * torch.eye(kernel.shape[-1]).to(kernel))


def loss_gradient(z: Tensor, epsilon: float) -> Tensor:
    """∂L_DPP/∂z of latents (…, N, D), in their shape.

    With u_i = z_i/‖z_i‖ and A = (K + εI)⁻¹:
    ∂L/∂z_i = -(2/‖z_i‖) (Σ_j A_ij u_j - u_i Σ_j A_ij K_ij).
    In float32 at least; A through Cholesky. Zero for a latent of zeros (``directions``), for one
    alone, and where all are equal. NaN where K + εI has no factor, as of latents that are not
    finite, or equal ones at an ε that rounding swallows: an error would have an accelerator waited
    for, and the sampler sees a NaN at the next step.
    """
    unit, norm = directions(z)
    kernel = unit @ unit.mT
    eye = torch.eye(kernel.shape[-1], dtype=unit.dtype, device=z.device)
    factor, failed = torch.linalg.cholesky_ex(kernel + epsilon * eye)
    factor = factor.masked_fill(failed[..., None, None] != 0, torch.nan)
    inverse = torch.cholesky_inverse(factor)
    along = (inverse * kernel).sum(-1, keepdim=True)
    return (-2 / norm * (inverse @ unit - unit * along)).to(z.dtype)


def dpp_gradient(state: State, epsilon: float) -> Tensor:
    """∂L_DPP/∂z_t over the visible set, for the free latents: (B, G, D). M Eq. 5-6."""
    return loss_gradient(state.visible, epsilon)[:, state.finished.shape[1] :]


def clean_dpp_gradient(state: State, epsilon: float) -> Tensor:
    """√ᾱ_{t-1} ∂L_DPP/∂ẑ₀, (B, G, D): the kernel is that of predicted clean latents (ours).

    A step in ẑ₀ moves z_{t-1} by √ᾱ_{t-1} of it. The derivative by z_t, with the denoiser
    held still, has 1/√ᾱ_t instead, 160 at the first step. Finished images stand at √ᾱ_t z₀:
    the kernel is one of directions, so they need no division.
    """
    visible = torch.cat([state.finished, state.predicted], dim=1)
    moved = loss_gradient(visible, epsilon)[:, state.finished.shape[1] :]
    return state.alpha_bar_before**0.5 * moved


#: What the kernel is taken of, by the name in the config.
KERNELS = {"z_t": dpp_gradient, "z0": clean_dpp_gradient}


def dpp(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term. ``options``: ``epsilon``, ``kernel``."""
    return partial(KERNELS[options["kernel"]], epsilon=options["epsilon"])
