"""Mean matching: L_DM = MSE(mean of the set, √ᾱ_t m_c), a mean over D (M Eq. 7)."""

from collections.abc import Callable, Mapping

from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.state import State


def mean_loss(z: Tensor, class_mean: Tensor, alpha_bar: float) -> Tensor:
    """L_DM of latents (…, N, D) against class means (…, D): (…)."""
    return (z.mean(-2) - alpha_bar**0.5 * class_mean).square().mean(-1)


def mean_gradient(state: State) -> Tensor:
    """∂L_DM/∂z for the free latents: (2/(N·D)) (mean of the visible set - √ᾱ_t m_c).

    N is the IPC under every coupling, also where fewer than N images are visible
    (sequential, iid): the pull on an image then has joint's strength, and a weight
    that does not overshoot jointly never does (ours).
    """
    drift = state.visible.mean(1) - state.alpha_bar**0.5 * state.class_mean
    gradient = 2 / (state.ipc * state.z.shape[-1]) * drift
    return gradient[:, None].expand_as(state.z)


def mean_matching(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term."""
    return mean_gradient
