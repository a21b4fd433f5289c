"""What a guidance term may look at."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Features:
    """The denoiser's features at one step, with a set's class; each pass for them is counted.

    They are what some of its blocks have made of a latent, (tokens, width), by the share of the
    blocks that they are behind (``depth``).

    of: noisy latents (n, D) and ``depth`` to their features, (n, tokens, width), with no way back.
    slope: noisy latents (n, D), ``depth`` and the gradient by the features of one latent,
        (1, tokens, width), as a function of these, to gradients by the latents, (n, D).
    """

    of: Callable[[Tensor, float], Tensor]
    slope: Callable[[Tensor, float, Callable[[Tensor], Tensor]], Tensor]


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
    shape: of a latent, (c, h, w).
    back: from gradients by ``noise``, (B·G, D), to gradients by z_t, through the denoiser's
        pass that made it; may be called once. None where no term of the step asks for it
        (``Guide.through_denoiser``).
    features: the denoiser's, for terms that ask for them; None without one.
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
    shape: tuple[int, int, int]
    back: Callable[[Tensor], Tensor] | None = None
    features: Features | None = None

    @property
    def visible(self) -> Tensor:
        """All that a group sees, the finished first: (B, M + G, D)."""
        return torch.cat([self.finished, self.z], dim=1)

    @property
    def predicted(self) -> Tensor:
        """ẑ₀ = (z_t - √(1-ᾱ_t) ε̂)/√ᾱ_t of the group's images, (B, G, D)."""
        return (self.z - (1 - self.alpha_bar) ** 0.5 * self.noise) / self.alpha_bar**0.5

    def slope(self, by_clean: Tensor) -> Tensor:
        """∂G/∂z_t, (B, G, D), of what has the gradient ``by_clean`` = ∂G/∂ẑ₀.

        By the chain rule through ẑ₀ and the denoiser in it.
        """
        by_noise = -((1 - self.alpha_bar) ** 0.5) * by_clean
        through = self.back(by_noise.flatten(0, 1)).view_as(by_clean)
        return (by_clean + through) / self.alpha_bar**0.5
