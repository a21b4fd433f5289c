"""A map of deep features in two dimensions, drawn by the real images alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lighthouse.metrics.sets import evenly
from lighthouse.metrics.strategies import Coast, Points

#: Most real images on a map.
REAL = 2000


@dataclass(frozen=True)
class Plane:
    """The plane of most variance. centre: (d,); axes: (d, 2), orthonormal.

    share: of the variance of what it was fitted to, a fraction.
    """

    centre: np.ndarray
    axes: np.ndarray
    share: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Coordinates of features (n, d), (n, 2)."""
        return (features - self.centre) @ self.axes


def plane(features: np.ndarray) -> Plane:
    """The plane of the first two principal components of features (n, d), d > 1.

    Each axis points where its entry of largest size is positive, so that a map does not
    flip from run to run. Of one image, or of equal ones, any plane is as good, and no share of
    their variance is in it: NaN.
    """
    features = features.astype(np.float64)
    centre = features.mean(0)
    centred = features - centre
    if len(centred) == 1:
        centred = np.zeros((2, centred.shape[1]))  # a plane has two axes
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    axes = rows[:2] * np.sign(rows[range(2), np.abs(rows[:2]).argmax(1)])[:, None]
    variance = (values**2).sum()
    share = float((values[:2] ** 2).sum() / variance) if variance else float("nan")
    return Plane(centre, axes.T, share)


def map_rows(
    dataset: str, name: str, coast: Coast, sets: Mapping[str, Points], seed: int
) -> list[dict]:
    """Rows of the map of one class: its real images, and the sets of one seed among them.

    sets: by strategy. The plane is fitted to all real images of the class and to nothing else;
    of them at most ``REAL`` are shown, evenly spaced. ``lit_by`` names the sets that cover a
    real image, in all dimensions and not only the two shown. ``index`` counts within the class.
    """
    fitted = plane(coast.features)

    def rows(kind, seed, indices, features, lit_by):
        return [
            {
                "dataset": dataset,
                "class": name,
                "kind": kind,
                "seed": seed,
                "index": int(index),
                "x": float(x),
                "y": float(y),
                "lit_by": lights,
                "share": fitted.share,
            }
            for index, (x, y), lights in zip(indices, fitted(features), lit_by, strict=True)
        ]

    lit = {kind: coast.lit(points.features).any(1) for kind, points in sets.items()}
    indices = evenly(len(coast.features), REAL)
    lit_by = ["+".join(kind for kind in sets if lit[kind][i]) for i in indices]
    made = rows("real", "", indices, coast.features[indices], lit_by)
    for kind, points in sets.items():
        made += rows(kind, seed, range(len(points)), points.features, [""] * len(points))
    return made
