"""What the terms of one sampling job are made from, beside their options."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from torch import Tensor

from lighthouse.datasets.latents import Latents
from lighthouse.runtime.tally import Tally


@dataclass(frozen=True)
class Context:
    """A job's data. Paths are read by the terms that need them, when they are made.

    dataset, ipc: of the cell. classes: names in label order. latent_dim: D.
    latents: folder of the training part's latents (``real``).
    surrogate: folder that ``students.surrogate`` wrote; None where no term asks for it.
    decode: latents (n, c, h, w), scaled, to images (n, 3, H, W) in about [-1, 1];
        differentiable.
    tally: of what terms hold within bounds.
    """

    dataset: str
    classes: Sequence[str]
    ipc: int
    latent_dim: int
    latents: Path | None = None
    surrogate: Path | None = None
    decode: Callable[[Tensor], Tensor] | None = None
    device: object = "cpu"
    tally: Tally = field(default_factory=Tally)

    @cached_property
    def real(self) -> Latents:
        """The training part's latents, opened when a term first asks for them."""
        return Latents(self.latents)
