"""Objectives: what makes a prior.

Each is a module whose call is ``(prediction, batch) -> (loss, parts)``: prediction is
ε_θ(z_t, t, c), (n, c, h, w); the loss is a scalar and the parts are its terms, unweighted,
by name. What a module keeps from step to step are its buffers, which a training's
checkpoint holds; what it only reads is in buffers that are not persistent.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
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

#: What the L1 term measures ẑ₀ from, of class means (C, c, h, w): a centre for each class, in a
#: shape that broadcasts to theirs. M Eq. 4 says 0; the class means are ours.
L1_CENTRES: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda class_means: torch.zeros_like(class_means[:, :1, :1, :1]),
    "class-mean": lambda class_means: class_means,
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


class RSM(nn.Module):
    """L_RSM = E‖ε - ε_θ‖² + λ E‖ẑ₀ - m‖₁, both means over elements (ours).

    M Eq. 4, where m is 0; or the mean of the image's class (``L1_CENTRES``), which is the true
    one where the label was dropped. ``weighting`` names the factor on the second term
    (``L1_WEIGHTINGS``). At λ = 0 this is ``plain``.
    """

    def __init__(self, lam: float, weighting: str, centres: Tensor):
        """``centres``: m of each class, (C, 1 or c, 1 or h, 1 or w)."""
        super().__init__()
        self.lam, self.weighting = lam, L1_WEIGHTINGS[weighting]
        self.register_buffer("centres", centres, persistent=False)

    def forward(self, prediction: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and parts."""
        noise = (prediction - batch.noise).square().mean()
        apart = batch.predicted_z0(prediction) - self.centres[batch.classes]
        per_image = apart.abs().flatten(1).mean(1)
        l1 = (self.weighting(batch.alpha_bar).to(per_image.dtype) * per_image).mean()
        return noise + self.lam * l1, {"noise": noise, "l1": l1}


def make_objective(maker: str, options: Mapping, class_means: np.ndarray) -> nn.Module:
    """The objective of a prior, for latents of classes whose means are (C, c, h, w).

    maker: ``module:function``, as ``parts.objectives`` names it. ``options``: what it reads.
    """
    return load(maker)(options, torch.as_tensor(class_means))


def make_plain(options: Mapping, class_means: Tensor) -> nn.Module:
    """``plain``; it has no options."""
    return Stateless(plain)


def make_rsm(options: Mapping, class_means: Tensor) -> nn.Module:
    """``RSM``. ``options``: ``lambda``, ``l1_weighting``, ``l1_centre``."""
    centres = L1_CENTRES[options["l1_centre"]](class_means)
    return RSM(options["lambda"], options["l1_weighting"], centres)
