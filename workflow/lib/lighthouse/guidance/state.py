"""What a guidance term may look at."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class State:
    """The groups of one set (a class under a seed) at one step t of the sampler.

    B groups of G images, D numbers each, flattened.

    z: noisy latents z_t, (B, G, D).
    finished: frozen images that the group sees, (B, M, D), M may be 0. They enter at
        their expected place at this noise level, √ᾱ_t z₀ (ours; the sources leave it
        open).
    class_mean: mean clean latent m_c of the class over the real training part, (B, D).
    alpha_bar: ᾱ_t, in (0, 1].
    ipc: N, images per class of the finished set.
    noise: ε̂ with classifier-free guidance, (B, G, D).
    alpha_bar_before: ᾱ of the step that comes next, nearer to the image; 1 at the last.
    seed, label: of the set.
    images: position in the set of each image, (B, G) int64.
    denoise: latents z_t (n, D) of this class at this step to ε̂ (n, D), as ``noise`` was
        made; differentiable where gradients are enabled.
    shape: of a latent, (c, h, w).
    """

    z: Tensor
    finished: Tensor
    class_mean: Tensor
    alpha_bar: float
    ipc: int
    noise: Tensor
    alpha_bar_before: float
    seed: int
    label: int
    images: Tensor
    denoise: Callable[[Tensor], Tensor]
    shape: tuple[int, int, int]

    @property
    def visible(self) -> Tensor:
        """All that a group sees, the finished first: (B, M + G, D)."""
        return torch.cat([self.finished, self.z], dim=1)

    def clean(self, z: Tensor, noise: Tensor) -> Tensor:
        """ẑ₀ = (z_t - √(1-ᾱ_t) ε̂)/√ᾱ_t, in the shape of both."""
        return (z - (1 - self.alpha_bar) ** 0.5 * noise) / self.alpha_bar**0.5

    @property
    def predicted(self) -> Tensor:
        """ẑ₀ of the group's images, (B, G, D)."""
        return self.clean(self.z, self.noise)
