"""Real images by class, among which those of a set lie."""

import numpy as np

from lighthouse.metrics.setutility import Manifold, manifold, radii


class RealClasses:
    """Features of real images by class. features: (n, d); labels: (n,)."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, neighbours: int):
        self.features, self.neighbours = features, neighbours
        self.rows = [np.flatnonzero(labels == k) for k in range(labels.max() + 1)]
        self.radii = [radii(features[rows], neighbours) for rows in self.rows]

    def manifold(self, label: int, synthetic: np.ndarray) -> Manifold:
        """How features (N, d) lie among those of a class."""
        real = self.features[self.rows[label]]
        return manifold(real, self.radii[label], synthetic, self.neighbours)


def among_real(real: RealClasses, features: np.ndarray) -> dict[str, float]:
    """``precision`` and ``coverage`` of a set among real images, means over classes.

    features: (C, N, d), deep, of N images of each class.
    """
    found = [real.manifold(label, own) for label, own in enumerate(features)]
    return {
        name: float(np.mean([getattr(one, name) for one in found]))
        for name in ("precision", "coverage")
    }
