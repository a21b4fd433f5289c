"""Coresets: which real images stand for a class. Importing this needs no torch.

``herding``, ``k-centre`` and ``support-deep`` choose by deep features, those of the dataset's
extractor as they are, not normalised. Coverage is measured in the same features, so k-centre covers
in part by construction, and herding's mean is close in the space that it is judged in. ``support``
chooses by latents.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lighthouse.datasets.latents import Latents
from lighthouse.metrics.setutility import distances
from lighthouse.runtime.errors import DataError

#: Images that a coreset by features can choose.
WITH_FEATURES = "images with features"
#: Swaps end in one of many minima: of so many the best is taken.
DRAWS = 10
#: A swap has to lower the energy by more than this share of it.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Pool:
    """The real images to choose from: a dataset's part train.

    labels: of all images of the part, (n,) int64. classes: names in label order.
    features: (m, d), of the images at positions ``rows`` (m,) of the part; None for a
    coreset that needs none. latents: (n, views, c, h, w), the first view of the image as it is.
    """

    dataset: str
    classes: Sequence[str]
    labels: np.ndarray
    features: np.ndarray | None = None
    rows: np.ndarray | None = None
    latents: np.ndarray | None = None


#: A pool, the IPC and S seeds to positions in the part, (S, C, ipc) int64, a set a seed.
#: The first n images of a larger IPC are those of IPC n, if it is declared as nested. Raises
#: ``DataError`` if a class has too few images.
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


def support(pool: Pool, ipc: int, seeds: Sequence[int]) -> np.ndarray:
    """Images whose latents have little energy among all of their class (``lowest_energy``)."""
    if pool.latents is None:
        raise ValueError("this coreset needs the latents of the pool")
    rows = np.arange(len(pool.labels))
    return _exchanged(pool, ipc, seeds, pool.latents[:, 0], rows, "images")


def support_deep(pool: Pool, ipc: int, seeds: Sequence[int]) -> np.ndarray:
    """The same by deep features."""
    return _exchanged(pool, ipc, seeds, *_features(pool), WITH_FEATURES)


def least_energy(
    apart: np.ndarray, starts: Iterable[np.ndarray], towards: np.ndarray | None = None
) -> np.ndarray:
    """The best of where ``lowest_energy`` ends from several starts, N rows each: (N,)."""
    ends = [lowest_energy(apart, start, towards) for start in starts]
    return min(ends, key=lambda rows: subset_energy(apart, rows, towards))


def lowest_energy(
    apart: np.ndarray, start: np.ndarray, towards: np.ndarray | None = None
) -> np.ndarray:
    """Rows of which no swap of one for another lowers the energy among all n, (N,).

    apart: distances of all points from each other, (n, n) float64; start: N rows; towards: of each
    from all m that the rows are to stand for, (n, m), where these are not the points themselves.
    The energy is that of support points (Mak and Joseph 2018; see ``guidance.support``), chosen
    from given points (ours): N² E = 2N Σ_i p_i - Σ_ik d_ik over the rows chosen, p the mean of a
    row's distances from what they stand for. The best of all swaps is made, again and again; none
    among equal points.
    """
    mean, chosen = apart.mean(0) if towards is None else towards.mean(1), np.array(start)
    while len(outside := np.setdiff1d(np.arange(len(apart)), chosen)):
        # i leaves, j enters: N² E grows by 2N (p_j - p_i) - 2 (Σ_k d_jk - d_ij - Σ_k d_ik).
        value = len(chosen) * mean - apart[chosen].sum(0)
        between = apart[np.ix_(chosen, outside)]
        growth = value[outside] - value[chosen, None] + between
        leaves, enters = np.unravel_index(growth.argmin(), growth.shape)
        if not growth[leaves, enters] < -ROUNDING * mean.sum():  # nor where it is not a number
            break
        chosen[leaves] = outside[enters]
    return chosen


def subset_energy(apart: np.ndarray, rows: np.ndarray, towards: np.ndarray | None = None) -> float:
    """The energy of some of n points, at distances as ``lowest_energy`` has them.

    Without what that of the m among themselves adds, which is the same for all rows.
    """
    near = apart if towards is None else towards
    return 2 * near[rows].mean() - apart[np.ix_(rows, rows)].mean()


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
    chosen = []
    for label, name in enumerate(pool.classes):
        members = np.flatnonzero(pool.labels == label)
        _check_enough(pool, name, len(members), ipc, "images")
        chosen.append(members[_order(pool, name, seed, len(members))[:ipc]])
    return np.stack(chosen)


def _order(pool: Pool, name: str, seed: int, count: int, draw: int = 0) -> np.ndarray:
    """The order in which ``count`` images of a class are drawn under a seed, for the n-th time."""
    import torch

    from lighthouse.runtime.rng import generator

    rng = generator("coreset", seed, pool.dataset, name, *([draw] if draw else []))
    return torch.randperm(count, generator=rng).numpy()


def _exchanged(
    pool: Pool, ipc: int, seeds: Sequence[int], points: np.ndarray, rows: np.ndarray, what: str
) -> np.ndarray:
    """Sets (S, C, ipc) by ``lowest_energy``, each the best of ``DRAWS`` of its own to begin with.

    points: (m, …), of the images at positions ``rows`` (m,) of the part. what: those images, in
    words.
    """
    labels, sets = pool.labels[rows], []
    for label, name in enumerate(pool.classes):
        members = np.flatnonzero(labels == label)
        _check_enough(pool, name, len(members), ipc, what)
        own = points[members].reshape(len(members), -1)
        apart = distances(own, own)
        found = []
        for seed in seeds:
            draws = (_order(pool, name, seed, len(members), n)[:ipc] for n in range(DRAWS))
            found.append(rows[members[least_energy(apart, draws)]])
        sets.append(found)
    return np.array(sets, dtype=np.int64).swapaxes(0, 1)


def _by_features(pool: Pool, ipc: int, pick: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    """One set, (C, ipc), of a function that picks rows of a class's features."""
    features, rows = _features(pool)
    labels, chosen = pool.labels[rows], []
    for label, name in enumerate(pool.classes):
        members = np.flatnonzero(labels == label)
        _check_enough(pool, name, len(members), ipc, WITH_FEATURES)
        chosen.append(rows[members[pick(features[members], ipc)]])
    return np.stack(chosen)


def _features(pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    """The features of a pool that has some, and their rows."""
    if pool.features is None or pool.rows is None:
        raise ValueError("this coreset needs the features of the pool")
    return pool.features, pool.rows


def _check_enough(pool: Pool, name: str, count: int, ipc: int, what: str) -> None:
    if count < ipc:
        raise DataError(
            f"{pool.dataset}: class {name!r} has {count} {what}, fewer than IPC {ipc}: add images, "
            "or take the method or the IPC out of run"
        )


def start_latents(
    latents: Latents,
    choose: Coreset,
    dataset: str,
    ipc: int,
    seeds: Sequence[int],
    chosen: Sequence[int],
) -> np.ndarray:
    """The latents of a coreset by which sets start, (S, C, ipc, c, h, w) of the classes ``chosen``.

    Of a class the same, whichever others a job has.
    """
    own = {label: place for place, label in enumerate(chosen)}
    labels = np.array([own.get(int(label), -1) for label in latents.labels])
    pool = Pool(
        dataset, [latents.classes[label] for label in chosen], labels, latents=latents.latents
    )
    return latents.latents[choose(pool, ipc, seeds), 0]
