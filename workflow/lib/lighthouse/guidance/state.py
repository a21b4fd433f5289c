"""What a guidance term may look at."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class State:
    """Groups of latents at one step of the sampler. B groups of G images, D numbers each.

    z: noisy latents z_t, (B, G, D), flattened.
    finished: frozen images that the group sees, (B, M, D), M may be 0. They enter at
        their expected place at this noise level, √ᾱ_t z₀ (ours; the sources leave it
        open).
    class_mean: mean clean latent m_c of each group's class over the real training
        part, (B, D).
    alpha_bar: ᾱ_t, in (0, 1].
    ipc: N, images per class of the finished set.
    """

    z: Tensor
    finished: Tensor
    class_mean: Tensor
    alpha_bar: float
    ipc: int

    @property
    def visible(self) -> Tensor:
        """All that a group sees, the finished first: (B, M + G, D)."""
        return torch.cat([self.finished, self.z], dim=1)
