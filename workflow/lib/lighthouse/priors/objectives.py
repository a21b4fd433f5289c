"""Objectives: what makes a prior.

Each is a module whose call is ``(prediction, batch) -> (loss, parts)``: prediction is
ε_θ(z_t, t, c), (n, c, h, w); the loss is a scalar and the parts are its terms, unweighted,
by name. What a module keeps from step to step are its buffers, which a training's
checkpoint holds.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod

from torch import Tensor, nn

from lighthouse.priors.batch import Batch
from lighthouse.runtime.named import load

#: Factor on the L1 term by noise level. ẑ₀ divides by √ᾱ_t (0.006 at t = 999), so
#: the bare penalty explodes at high noise; the others never exceed 1 (ours).
L1_WEIGHTINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda alpha_bar: alpha_bar.new_ones(()).expand_as(alpha_bar),
    "sqrt-alpha-bar": lambda alpha_bar: alpha_bar.sqrt(),
    "snr": lambda alpha_bar: (alpha_bar / (1 - alpha_bar)).clamp(max=1),
}


class Stateless(nn.Module):
    """An objective that keeps nothing: a function of prediction and batch."""

    def __init__(self, function: Callable[[Tensor, Batch], tuple[Tensor, dict[str, Tensor]]]):
        super().__init__()
        self.function = function

    def forward(self, prediction: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The function's loss and parts."""
        return self.function(prediction, batch)


def plain(prediction: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """E‖ε - ε_θ‖², a mean over elements."""
    noise = (prediction - batch.noise).square().mean()
    return noise, {"noise": noise}


def rsm(
    prediction: Tensor, batch: Batch, lam: float, weighting: str
) -> tuple[Tensor, dict[str, Tensor]]:
    """L_RSM = E‖ε - ε_θ‖² + λ E‖ẑ₀‖₁ (M Eq. 4), both means over elements (ours).

    ``weighting`` names the factor on the second term. At λ = 0 this is ``plain``.
    """
    noise = (prediction - batch.noise).square().mean()
    per_image = batch.predicted_z0(prediction).abs().flatten(1).mean(1)
    factor = L1_WEIGHTINGS[weighting](batch.alpha_bar).to(per_image.dtype)
    l1 = (factor * per_image).mean()
    return noise + lam * l1, {"noise": noise, "l1": l1}


def make_objective(maker: str, options: Mapping, n_classes: int, shape: Sequence[int]) -> nn.Module:
    """The objective of a prior, for latents (c, h, w) ``shape`` of ``n_classes``.

    maker: ``module:function``, as ``parts.objectives`` names it. ``options``: what it reads.
    """
    return load(maker)(options, n_classes, prod(shape))


def make_plain(options: Mapping, n_classes: int, dim: int) -> nn.Module:
    """``plain``; it has no options."""
    return Stateless(plain)


def make_rsm(options: Mapping, n_classes: int, dim: int) -> nn.Module:
    """``rsm``. ``options``: ``lambda``, ``l1_weighting``."""
    return Stateless(partial(rsm, lam=options["lambda"], weighting=options["l1_weighting"]))
