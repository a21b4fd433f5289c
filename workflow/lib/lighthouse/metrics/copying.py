"""Data-copying: how near synthetic images lie to real ones, so that a set that copies is seen to.

The distance to the closest record, as releases of synthetic data are judged by, over how far
real images lie apart themselves (ours): 0 is a copy, and at about 1 an image lies as near
to the real ones as these lie to each other.
"""

from typing import NamedTuple

import numpy as np

from lighthouse.metrics.sets import evenly
from lighthouse.metrics.setutility import BLOCK, distances

#: Real images of a class whose nearest others are looked for: each job that measures sets does
#: so once, in each class.
ASKED = 256


class RealPoints:
    """Real images as points of a space, latents or deep features, class by class.

    points: (n, …), of a memory map read as a class is asked for; labels: (n,). ``spacing``:
    of each class, see there.
    """

    def __init__(self, points: np.ndarray, labels: np.ndarray):
        self._points = points
        self._rows = [np.flatnonzero(labels == k) for k in range(labels.max() + 1)]
        self.spacing = [spacing(self.of(label)) for label in range(len(self._rows))]

    def of(self, label: int) -> np.ndarray:
        """Those of a class, (n, d)."""
        rows = self._rows[label]
        return np.asarray(self._points[rows]).reshape(len(rows), -1)

    def nearness(self, label: int, synthetic: np.ndarray) -> np.ndarray:
        """Distance of each synthetic point of a class (N, …) to its nearest real one, (N,).

        In units of the class's ``spacing``; NaN where it has none.
        """
        flat = synthetic.reshape(len(synthetic), -1)
        return nearest_distances(flat, self.of(label)) / self.spacing[label]


class RealSpaces(NamedTuple):
    """The real images of a dataset in both spaces; which they are may differ."""

    latents: RealPoints
    features: RealPoints

    def nearness(self, label: int, latents: np.ndarray, features: np.ndarray) -> dict[str, float]:
        """How near N synthetic images of a class lie to real ones, by column of the tables.

        latents: (N, …); features: (N, d), deep. The mean over the images and, with ``_min``,
        the nearest one's. 0 or more.
        """
        latent = self.latents.nearness(label, latents)
        feature = self.features.nearness(label, features)
        return {
            "nearest_latent": latent.mean(),
            "nearest_latent_min": latent.min(),
            "nearest_feature": feature.mean(),
            "nearest_feature_min": feature.min(),
        }


def spacing(real: np.ndarray) -> float:
    """How far the real images of a class (n, d) lie apart: the median over them of the
    distance to the nearest other. NaN of one image, or where most have a twin.

    Over ``ASKED`` of them, evenly spaced, where there are more.
    """
    if len(real) == 1:
        return float("nan")
    rows = evenly(len(real), ASKED)
    return float(np.median(nearest_distances(real[rows], real, rows))) or float("nan")


def nearest_distances(
    points: np.ndarray, real: np.ndarray, own: np.ndarray | None = None
) -> np.ndarray:
    """Distance of each of points (N, d) to the nearest of real ones (n, d), (N,).

    own: rows of the real ones that the points are, (N,), each measured to the nearest other.
    """
    found = []
    for first in range(0, len(points), BLOCK):
        block = points[first : first + BLOCK].astype(np.float64)
        apart = distances(block, real)
        if own is not None:
            apart[np.arange(len(block)), own[first : first + BLOCK]] = np.inf
        # Anew from the pair: by the product of matrices a copy is 1e-8 of its length away.
        found.append(np.linalg.norm(block - real[apart.argmin(axis=1)], axis=1))
    return np.concatenate(found)
