"""What an objective is shown of one training step."""

from dataclasses import dataclass, fields

from torch import Tensor


def shares(alpha_bar: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """√ᾱ_t and √(1-ᾱ_t) of (n,) steps in the dtype of ``like``, (n, 1, 1, 1) each."""
    parts = (alpha_bar.sqrt(), (1 - alpha_bar).sqrt())
    return tuple(part.to(like.dtype)[:, None, None, None] for part in parts)


@dataclass(frozen=True)
class Batch:
    """A training batch. z0, z_t, noise: (n, c, h, w); the others: (n,).

    t: steps in 0…999. alpha_bar: ᾱ_t in float64, in which 1 - ᾱ_t keeps its digits.
    labels: what the model was told, the null class where the label was dropped. classes:
    the true ones. chosen: positions of the images in the training set, for messages.
    """

    z0: Tensor
    z_t: Tensor
    noise: Tensor
    t: Tensor
    alpha_bar: Tensor
    labels: Tensor
    classes: Tensor
    chosen: Tensor

    @property
    def tensors(self) -> list[Tensor]:
        """All of it, in order."""
        return [getattr(self, field.name) for field in fields(self)]

    def predicted_z0(self, prediction: Tensor) -> Tensor:
        """ẑ₀ = (z_t - √(1-ᾱ_t) ε_θ)/√ᾱ_t, (n, c, h, w)."""
        clean, noisy = shares(self.alpha_bar, self.z_t)
        return (self.z_t - noisy * prediction) / clean

    def first(self, size: int) -> "Batch":
        """The batch of its first ``size`` images."""
        return Batch(*(tensor[:size] for tensor in self.tensors))
