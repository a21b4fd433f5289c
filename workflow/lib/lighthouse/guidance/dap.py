"""DAP's guidance: towards real images in the denoiser's own features (Su et al., ICLR 2026).

z_{t-1} ← z_{t-1} - γ ∇_{z_t} G_c, where G_c = 1/M Σ_j D_k(z_t, y_j) over real latents y_j of the
class, noised to the same t, and D_k(x, y) = √(k(x, x) + k(y, y) - 2 k(x, y)) is the distance that a
Mercer kernel of features φ induces, φ what a middle block of the denoiser has made of a latent. Of
the linear kernel k(x, y) = φ(x)ᵀφ(y), which is the source's, D_k is ‖φ(x) - φ(y)‖.

No public code was found, and this is written after what is reported of the paper. Where that leaves
it open, ours are:

- φ is one block's output, ``depth`` of the way through, all tokens of it, of the denoiser's
  conditional pass. Of DiT-XL/2's 28 blocks the source finds the 4th to the 12th best.
- Real latents are a draw of ``images`` a class, each with one noise for all steps.
- Which steps are guided is a choice of the config.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.directions import directions
from lighthouse.guidance.state import State
from lighthouse.runtime.rng import generator


class Drawn(NamedTuple):
    """Real latents of a class, and the noise of each, (M, D) both."""

    latents: Tensor
    noise: Tensor


class RealFeatures:
    """φ of the real latents of a job's sets.

    A set's latents and their noise are drawn with its sampling seed, dataset and class, so that
    they depend on no other set. Features are found when they are asked for, and not kept: of
    DiT-XL/2 those of a set at one step take 59 MB.
    """

    def __init__(self, context: Context, images: int, depth: float):
        self.context, self.images, self.depth = context, images, depth
        self._drawn: dict[tuple[int, int], Drawn] = {}

    def at(self, state: State) -> Tensor:
        """Those of a set's class at its step, (M, tokens, width)."""
        drawn = self._of_set(state.seed, state.label)
        z = state.alpha_bar**0.5 * drawn.latents + (1 - state.alpha_bar) ** 0.5 * drawn.noise
        return state.features.of(z, self.depth)

    def _of_set(self, seed: int, label: int) -> Drawn:
        if (seed, label) not in self._drawn:
            real = torch.from_numpy(self.context.real.of_class(label))
            names = seed, self.context.dataset, self.context.classes[label]
            order = torch.randperm(len(real), generator=generator("real latents", *names))
            chosen = order[: self.images].tolist()
            noise = [
                torch.randn(real.shape[1], generator=generator("noise of a real latent", *names, i))
                for i in chosen
            ]
            own = Drawn(real[chosen], torch.stack(noise))
            self._drawn[seed, label] = Drawn(*(part.to(self.context.device) for part in own))
        return self._drawn[seed, label]


def by_features(real: Tensor, own: Tensor) -> Tensor:
    """∂G_c/∂φ = 1/M Σ_j (φ - φ_j)/‖φ - φ_j‖ of one latent's φ, (1, tokens, width), in its shape.

    real: the φ_j, (M, tokens, width). At most 1 long; one that φ is equal to adds nothing.
    """
    return directions((own - real).flatten(1))[0].mean(0).view_as(own)


def dap(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term: ∇_{z_t} G_c of the free latents, (B, G, D), each by itself.

    ``options``: ``depth``, ``images``. It takes passes of the denoiser of its own: one of each free
    latent, walked back, and one of each real latent whenever free ones are looked at.
    """
    real_features = RealFeatures(context, options["images"], options["depth"])

    def direction(state: State) -> Tensor:
        real, z = real_features.at(state), state.z.flatten(0, 1)
        slopes = state.features.slope(z, options["depth"], lambda own: by_features(real, own))
        return slopes.view_as(state.z)

    return direction
