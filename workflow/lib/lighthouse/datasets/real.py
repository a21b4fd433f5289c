"""A draw of real images: those that metrics compare with, and surrogates are asked about."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from lighthouse.datasets.index import ImageIndex
from lighthouse.runtime.rng import generator

#: Images that are read at once.
BATCH = 256


@dataclass(frozen=True)
class RealImages:
    """At most ``per_class`` images of each class of a part, ``size`` px, in index order.

    Where a class has more, they are the first of an order that depends on the dataset's
    and the class's name alone, so those of a smaller ``per_class`` are among them.
    """

    index: ImageIndex
    dataset: str
    size: int
    per_class: int
    threads: int

    def rows(self, part: str) -> np.ndarray:
        """Their positions in the part, rising."""
        labels, chosen = self.index.labels(part), []
        for label, name in enumerate(self.index.classes):
            members = np.flatnonzero(labels == label)
            if len(members) > self.per_class:
                rng = generator("real images", self.dataset, name)
                order = torch.randperm(len(members), generator=rng).numpy()
                members = members[order[: self.per_class]]
            chosen.append(members)
        return np.sort(np.concatenate(chosen))

    def labels(self, part: str) -> np.ndarray:
        """Their labels, (n,) int64."""
        return self.index.labels(part)[self.rows(part)]

    def images(self, part: str) -> np.ndarray:
        """They themselves, (n, 3, size, size) uint8."""
        return self.index.images(part, self.size, self.threads, self.rows(part))

    def batches(self, part: str) -> Iterator[np.ndarray]:
        """The same in batches, (k, 3, size, size)."""
        return self.index.batches(part, self.size, BATCH, self.threads, self.rows(part))
