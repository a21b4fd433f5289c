"""IGD's deviation guidance: away from the most similar finished image of the class.

Chen et al., ICLR 2025: z_{t-1} ← z_{t-1} - γ ∇_{z_t} G_D, G_D = cos(z_t, m*), where m* is
that finished clean latent of the class to which z_t itself, not ẑ₀, is most similar.
"""

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.directions import directions
from lighthouse.guidance.state import State


def deviation_gradient(state: State, memory: int) -> Tensor:
    """∇_{z_t} cos(z_t, m*) for the free latents, (B, G, D); zeros where nothing is finished.

    memory: m* is one of the ``memory`` images finished last. With u = z/‖z‖, v = m*/‖m*‖:
    ∇ cos(z, m*) = (v - u cos(z, m*))/‖z‖. The √ᾱ_t by which finished images come scaled
    changes no cosine. In float32 at least. Zero of a latent of zeros, which has no cosine
    (``directions``).
    """
    if not state.finished.shape[1]:
        return state.z.new_zeros(state.z.shape)
    unit, norm = directions(state.z)
    finished = directions(state.finished[:, -memory:])[0]
    cosine, nearest = (unit @ finished.mT).max(-1, keepdim=True)
    target = finished.gather(1, nearest.expand_as(unit))
    return ((target - cosine * unit) / norm).to(state.z.dtype)


def deviation(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term. ``options``: ``memory``, images."""
    return partial(deviation_gradient, memory=options["memory"])
