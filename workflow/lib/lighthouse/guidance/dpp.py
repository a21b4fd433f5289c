"""DPP repulsion: L_DPP = -log det(K + εI), K the cosines of a class's latents (M Eq. 5–6)."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.state import State


def cosine_kernel(z: Tensor) -> Tensor:
    """K_ij = cos(z_i, z_j) of flattened latents (…, N, D): (…, N, N)."""
    unit = torch.nn.functional.normalize(z, dim=-1)
    return unit @ unit.mT


def dpp_loss(z: Tensor, epsilon: float) -> Tensor:
    """L_DPP of latents (…, N, D): (…)."""
    kernel = cosine_kernel(z)
    return -torch.logdet(kernel + epsilon * torch.eye(kernel.shape[-1]).to(kernel))


def dpp_gradient(state: State, epsilon: float) -> Tensor:
    """∂L_DPP/∂z over the visible set, for the free latents: (B, G, D).

    With u_i = z_i/‖z_i‖ and A = (K + εI)⁻¹:
    ∂L/∂z_i = -(2/‖z_i‖) (Σ_j A_ij u_j - u_i Σ_j A_ij K_ij).
    In float32 at least; A through Cholesky. ``torch.linalg.LinAlgError`` if latents
    are not finite.
    """
    z = state.visible
    z = z if z.dtype == torch.float64 else z.float()
    norm = z.norm(dim=-1, keepdim=True)
    unit = z / norm
    kernel = unit @ unit.mT
    eye = torch.eye(kernel.shape[-1], dtype=z.dtype, device=z.device)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel + epsilon * eye))
    along = (inverse * kernel).sum(-1, keepdim=True)
    gradient = -2 / norm * (inverse @ unit - unit * along)
    return gradient[:, state.finished.shape[1] :].to(state.z.dtype)


def dpp(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term. ``options``: ``epsilon``."""
    return partial(dpp_gradient, epsilon=options["epsilon"])
