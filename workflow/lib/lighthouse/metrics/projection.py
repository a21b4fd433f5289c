"""A map of deep features in two dimensions, drawn by the real images alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lighthouse.metrics.strategies import Coast, Points

#: Most classes on the map of all classes, and most real images on a map.
CLASSES, REAL = 10, 2000


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
    """The plane of the first two principal components of features (n, d), n > 2.

    Each axis points where its entry of largest size is positive, so that a map does not
    flip from run to run.
    """
    features = features.astype(np.float64)
    centre = features.mean(0)
    _, values, rows = np.linalg.svd(features - centre, full_matrices=False)
    axes = rows[:2] * np.sign(rows[range(2), np.abs(rows[:2]).argmax(1)])[:, None]
    return Plane(centre, axes.T, float((values[:2] ** 2).sum() / (values**2).sum()))


def shown(n_classes: int, always: int) -> list[int]:
    """Labels on the map of all classes: ``CLASSES`` of them evenly spaced, and ``always``."""
    count = min(n_classes, CLASSES)
    return sorted({always, *(k * n_classes // count for k in range(count))})


def map_rows(
    dataset: str,
    panel: str,
    coasts: Mapping[str, Coast],
    sets: Mapping[str, Mapping[str, Points]],
    seed: int,
) -> list[dict]:
    """Rows of one map: the real images of some classes, and the sets of one seed among them.

    coasts: by class name. sets: strategy → class name → set. The plane is fitted to all real
    images of these classes and to nothing else; of them at most ``REAL`` are shown, evenly
    spaced. ``lit_by`` names the sets that cover a real image, in all dimensions and not only
    the two shown. ``index`` counts within the class.
    """
    fitted = plane(np.concatenate([coast.features for coast in coasts.values()]))

    def rows(kind, name, seed, indices, features, lit_by):
        return [
            {
                "dataset": dataset,
                "panel": panel,
                "kind": kind,
                "class": name,
                "seed": seed,
                "index": int(index),
                "x": float(x),
                "y": float(y),
                "lit_by": lights,
                "share": fitted.share,
            }
            for index, (x, y), lights in zip(indices, fitted(features), lit_by, strict=True)
        ]

    made = []
    n_real = sum(len(coast.features) for coast in coasts.values())
    for name, coast in coasts.items():
        lit = {kind: coast.lit(points[name].features).any(1) for kind, points in sets.items()}
        count = min(len(coast.features), max(1, REAL * len(coast.features) // n_real))
        indices = np.arange(count) * len(coast.features) // count
        lit_by = ["+".join(kind for kind in sets if lit[kind][i]) for i in indices]
        made += rows("real", name, "", indices, coast.features[indices], lit_by)
    for kind, points in sets.items():
        for name in coasts:
            features = points[name].features
            blank = [""] * len(features)
            made += rows(kind, name, seed, range(len(features)), features, blank)
    return made


def maps(
    dataset: str,
    coasts: Sequence[Coast],
    names: Sequence[str],
    sets: Mapping[str, Mapping[int, Points]],
    label: int,
    seed: int,
) -> list[dict]:
    """Rows of the map of all classes, then of that of the class ``label``.

    sets: strategy → label → set, of the labels that are ``shown``.
    """
    panels = {"all": shown(len(names), label), "class": [label]}
    return [
        row
        for panel, labels in panels.items()
        for row in map_rows(
            dataset,
            panel,
            {names[k]: coasts[k] for k in labels},
            {kind: {names[k]: points[k] for k in labels} for kind, points in sets.items()},
            seed,
        )
    ]
