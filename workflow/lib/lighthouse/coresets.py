"""Coresets: which real images stand for a class. Importing this needs no torch.

``herding`` and ``k-centre`` choose by deep features, those of the dataset's extractor as
they are, not normalised. Coverage is measured in the same features, so k-centre covers in
part by construction, and herding's mean is close in the space that it is judged in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lighthouse.runtime.errors import DataError


@dataclass(frozen=True)
class Pool:
    """The real images to choose from: a dataset's part train.

    labels: of all images of the part, (n,) int64. classes: names in label order.
    features: (m, d), of the images at positions ``rows`` (m,) of the part; None for a
    coreset that needs none.
    """

    dataset: str
    classes: Sequence[str]
    labels: np.ndarray
    features: np.ndarray | None = None
    rows: np.ndarray | None = None


#: A pool, the IPC and S seeds to positions in the part, (S, C, ipc) int64, a set a seed.
#: The first n images of a larger IPC are those of IPC n. Raises ``DataError`` if a class has
#: too few images.
Coreset = Callable[[Pool, int, Sequence[int]], np.ndarray]


def random(pool: Pool, ipc: int, seeds: Sequence[int]) -> np.ndarray:
    """Images drawn without replacement."""
    return np.stack([_draw(pool, ipc, seed) for seed in seeds])


def herding(pool: Pool, ipc: int, seeds: Sequence[int]) -> np.ndarray:
    """Images whose mean feature stays near the class's: the same under each seed."""
    return _same_for_all(_by_features(pool, ipc, herd), seeds)


def k_centre(pool: Pool, ipc: int, seeds: Sequence[int]) -> np.ndarray:
    """Images far from each other, from the middle outwards: the same under each seed."""
    return _same_for_all(_by_features(pool, ipc, farthest), seeds)


def herd(features: np.ndarray, count: int) -> np.ndarray:
    """Rows of features (n, d) picked greedily by Welling's herding (ICML 2009), (count,).

    Each pick makes the mean of all picked nearest to the mean of the n: it minimises
    ‖(k+1) μ - Σ picked - φ‖. That is Welling's argmax of ⟨w, φ⟩ with w growing by
    μ - φ, where all φ have one length; without replacement (ours). Ties go to the
    first row. In float64.
    """
    features = features.astype(np.float64)
    mean, squares = features.mean(0), np.square(features).sum(1)
    picked, wanted = [], np.zeros_like(mean)
    free = np.zeros(len(features))
    for _ in range(count):
        wanted += mean
        row = int(np.argmin(squares - features @ (2 * wanted) + free))
        picked.append(row)
        free[row] = np.inf
        wanted -= features[row]
    return np.array(picked, dtype=np.int64)


def farthest(features: np.ndarray, count: int) -> np.ndarray:
    """Rows of features (n, d) by greedy k-centre (Gonzalez 1985), (count,).

    The first is the nearest to the mean of the n (ours; the source starts anywhere),
    each next one the farthest from the nearest of those picked. Ties go to the first
    row. In float64.
    """
    features = features.astype(np.float64)
    squares = np.square(features).sum(1)

    def distances(point: np.ndarray) -> np.ndarray:
        return squares - features @ (2 * point) + point @ point

    row = int(np.argmin(distances(features.mean(0))))
    picked, nearest = [row], distances(features[row])
    for _ in range(count - 1):
        nearest[row] = -np.inf  # so that images with equal features are not picked twice
        row = int(np.argmax(nearest))
        picked.append(row)
        nearest = np.minimum(nearest, distances(features[row]))
    return np.array(picked, dtype=np.int64)


def _same_for_all(chosen: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
    return np.broadcast_to(chosen, (len(seeds), *chosen.shape)).copy()


def _draw(pool: Pool, ipc: int, seed: int) -> np.ndarray:
    """One set, (C, ipc)."""
    import torch

    from lighthouse.runtime.rng import generator

    chosen = []
    for label, name in enumerate(pool.classes):
        members = np.flatnonzero(pool.labels == label)
        _check_enough(name, len(members), ipc, "images")
        rng = generator("coreset", seed, pool.dataset, name)
        order = torch.randperm(len(members), generator=rng)
        chosen.append(members[order.numpy()[:ipc]])
    return np.stack(chosen)


def _by_features(pool: Pool, ipc: int, pick: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    """One set, (C, ipc), of a function that picks rows of a class's features."""
    if pool.features is None or pool.rows is None:
        raise ValueError("this coreset needs the features of the pool")
    labels, chosen = pool.labels[pool.rows], []
    for label, name in enumerate(pool.classes):
        members = np.flatnonzero(labels == label)
        _check_enough(name, len(members), ipc, "images with features")
        chosen.append(pool.rows[members[pick(pool.features[members], ipc)]])
    return np.stack(chosen)


def _check_enough(name: str, count: int, ipc: int, what: str) -> None:
    if count < ipc:
        raise DataError(f"class {name!r} has {count} {what}, fewer than IPC {ipc}")
