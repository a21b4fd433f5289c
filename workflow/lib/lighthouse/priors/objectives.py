"""Objectives: what makes a prior. Each is ``(prediction, batch) -> (loss, parts)``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """A training batch. z0, z_t, noise: (n, c, h, w); t, alpha_bar, labels, chosen: (n,).

    t: steps in 0…999. chosen: positions of the images in the training set, for messages.
    """

    z0: Tensor
    z_t: Tensor
    noise: Tensor
    t: Tensor
    alpha_bar: Tensor
    labels: Tensor
    chosen: Tensor

    def predicted_z0(self, prediction: Tensor) -> Tensor:
        """ẑ₀ = (z_t - √(1-ᾱ_t) ε_θ)/√ᾱ_t, (n, c, h, w)."""
        alpha_bar = self.alpha_bar[:, None, None, None]
        return (self.z_t - (1 - alpha_bar).sqrt() * prediction) / alpha_bar.sqrt()

    def first(self, size: int) -> "Batch":
        """The batch of its first ``size`` images."""
        return Batch(*(getattr(self, field.name)[:size] for field in fields(self)))


Objective = Callable[[Tensor, Batch], tuple[Tensor, dict[str, Tensor]]]

#: Factor on the L1 term by noise level. ẑ₀ divides by √ᾱ_t (0.006 at t = 999), so
#: the bare penalty explodes at high noise; the others never exceed 1 (ours).
L1_WEIGHTINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda alpha_bar: alpha_bar.new_ones(()).expand_as(alpha_bar),
    "sqrt-alpha-bar": lambda alpha_bar: alpha_bar.sqrt(),
    "snr": lambda alpha_bar: (alpha_bar / (1 - alpha_bar)).clamp(max=1),
}


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
    l1 = (L1_WEIGHTINGS[weighting](batch.alpha_bar) * per_image).mean()
    return noise + lam * l1, {"noise": noise, "l1": l1}


def make_objective(name: str, options: Mapping) -> Objective:
    """The objective of a row of ``priors``. ``options``: ``lam``, ``l1_weighting`` (rsm)."""
    return OBJECTIVES[name](options)


OBJECTIVES: dict[str, Callable[[Mapping], Objective]] = {
    "plain": lambda options: plain,
    "rsm": lambda options: (
        lambda prediction, batch: rsm(prediction, batch, options["lam"], options["l1_weighting"])
    ),
}
