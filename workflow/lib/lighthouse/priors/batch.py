"""What an objective is shown of one training step."""

from dataclasses import dataclass, fields

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """A training batch. z0, z_t, noise: (n, c, h, w); the others: (n,).

    t: steps in 0…999. labels: what the model was told, the null class where the label
    was dropped. classes: the true ones. chosen: positions of the images in the training
    set, for messages.
    """

    z0: Tensor
    z_t: Tensor
    noise: Tensor
    t: Tensor
    alpha_bar: Tensor
    labels: Tensor
    classes: Tensor
    chosen: Tensor

    def predicted_z0(self, prediction: Tensor) -> Tensor:
        """ẑ₀ = (z_t - √(1-ᾱ_t) ε_θ)/√ᾱ_t, (n, c, h, w)."""
        alpha_bar = self.alpha_bar[:, None, None, None]
        return (self.z_t - (1 - alpha_bar).sqrt() * prediction) / alpha_bar.sqrt()

    def first(self, size: int) -> "Batch":
        """The batch of its first ``size`` images."""
        return Batch(*(getattr(self, field.name)[:size] for field in fields(self)))
