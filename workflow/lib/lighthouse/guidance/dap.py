"""DAP's guidance: towards real images in the denoiser's own features (Su et al., ICLR 2026).

There is no public code, and the paper could not be read but for its opening. It is reported to move
z_{t-1} ← z_{t-1} - γ ∇_{z_t} G_c, where G_c is the mean distance of z_t from the class's real
latents, noised to the same t, that a Mercer kernel of features φ induces, φ what the middle of the
denoiser has made of a latent. Of the linear kernel k(x, y) = φ(x)ᵀφ(y) the squared distance
k(x, x) - 2 k(x, y) + k(y, y) is ‖φ(x) - φ(y)‖². Its mean over real y is ‖φ(x) - m‖² + s², with
their mean m and mean squared deviation s²: m is all that the gradient asks.

Where facts on the source leave it open, ours are:

- φ is one block's output, ``depth`` of the way through, all tokens of it, of the denoiser's
  conditional pass. Their mean over tokens, tried on the default's validation part, taught less.
- G_c is of squared distances. (Of their roots the gradient would be a mean of unit vectors.)
- G_c is divided by s², and γ grows with D as those of other gradients by z_t do, so that a step
  moves latents of any size, by a denoiser whose features have any scale, by about the same share.
- Real latents are a draw of ``images`` a class, with a generator of its own for the noise of each.
- All steps are guided.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from lighthouse.datasets.latents import Latents
from lighthouse.guidance.context import Context
from lighthouse.guidance.state import State
from lighthouse.runtime.rng import generator
from lighthouse.runtime.transfer import sent


class Real(NamedTuple):
    """φ of real latents at a step. middle: m, (tokens, width). spread: s², ()."""

    middle: Tensor
    spread: Tensor


class Drawn(NamedTuple):
    """A set's real latents, (M, D), and a generator for the noise of each."""

    latents: Tensor
    generators: list[torch.Generator]


class RealFeatures:
    """φ of the real latents of a job's sets, at each step found once, and kept: m alone, of
    DiT-XL/2 59 MB a set at 50 steps.

    A set's latents and their noise are drawn with its sampling seed, dataset and class, so that
    they depend on no other set. The noise of a step is the next one of each generator.
    """

    def __init__(self, context: Context, images: int, depth: float):
        self.context, self.images, self.depth = context, images, depth
        self._data: Latents | None = None
        self._drawn: dict[tuple[int, int], Drawn] = {}
        self._found: dict[tuple[int, int, float], Real] = {}

    def at(self, state: State) -> Real:
        """That of a set's class at its step."""
        key = state.seed, state.label, state.alpha_bar
        if key not in self._found:
            self._found[key] = self._find(state)
        return self._found[key]

    def _find(self, state: State) -> Real:
        latents, generators = self._of_set(state.seed, state.label)
        noise = [torch.randn(latents.shape[1], generator=g) for g in generators]
        noise = sent(torch.stack(noise), latents.device)
        z = state.alpha_bar**0.5 * latents + (1 - state.alpha_bar) ** 0.5 * noise
        found = state.features.of(z, self.depth)
        middle = found.mean(0)
        return Real(middle, (found - middle).square().sum((1, 2)).mean())

    def _of_set(self, seed: int, label: int) -> Drawn:
        if (seed, label) not in self._drawn:
            if self._data is None:
                self._data = Latents(Path(self.context.latents))
            real = torch.from_numpy(self._data.of_class(label))
            names = seed, self.context.dataset, self.context.classes[label]
            order = torch.randperm(len(real), generator=generator("real latents", *names))
            chosen = order[: self.images].tolist()
            self._drawn[seed, label] = Drawn(
                real[chosen].to(self.context.device),
                [generator("noise of a real latent", *names, index) for index in chosen],
            )
        return self._drawn[seed, label]


def by_features(real: Real, own: Tensor) -> Tensor:
    """∂(‖φ - m‖²/s²)/∂φ of features ``own`` (n, tokens, width), in their shape.

    Zero where s² is, as of the only real image of a class.
    """
    return torch.where(real.spread == 0, 0, 2 * (own - real.middle) / real.spread)


def dap(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term: ∇_{z_t} G_c/s² of the free latents, (B, G, D), each by itself.

    ``options``: ``depth``, ``images``. It takes passes of the denoiser of its own: one of each free
    latent, walked back, and at each step of a set one of each of its real latents.
    """
    real_features = RealFeatures(context, options["images"], options["depth"])

    def direction(state: State) -> Tensor:
        real, z = real_features.at(state), state.z.flatten(0, 1)
        slopes = state.features.slope(z, options["depth"], lambda own: by_features(real, own))
        return slopes.view_as(state.z)

    return direction
