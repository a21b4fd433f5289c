"""Distances of two sets of features, Fréchet and kernel, by torch-fidelity's formulas."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from torch_fidelity.metric_kid import kernel_mmd

from lighthouse.runtime.tally import Tally

#: Images whose features are held in double precision at once.
BLOCK = 8192
#: Of the kernel distance, as torch-fidelity has them: how many subsets, the most images of one,
#: and the seed that draws them.
SUBSETS, LARGEST_SUBSET, SUBSET_SEED = 100, 1000, 2020
#: Share of the traces of both covariances below which an imaginary part is rounding.
ROUNDING = 0.01


class Distance(NamedTuple):
    """value: the Fréchet distance. dropped: the imaginary part of its root's trace, as a share of
    the traces of both covariances.
    """

    value: float
    dropped: float


class Reference:
    """Real images' features, (n, d), which sets are compared with; their statistics taken once."""

    def __init__(self, features: np.ndarray):
        self.features = features
        self._distances: dict[bytes, Distance] = {}

    @cached_property
    def statistics(self) -> dict:
        """Their ``statistics``."""
        return statistics(self.features)

    def distance(self, features: np.ndarray, tally: Tally | None = None) -> float:
        """Fréchet distance of a set's features (n, d), once of equal ones; NaN of one image.

        ``tally`` counts those whose dropped part is more than rounding.
        """
        if len(features) < 2:  # no covariance
            return float("nan")
        known = hashlib.blake2b(np.ascontiguousarray(features), digest_size=16).digest()
        if known not in self._distances:
            self._distances[known] = frechet_distance(self.statistics, statistics(features))
        found = self._distances[known]
        (tally or Tally()).add("imaginary_parts_dropped", int(found.dropped > ROUNDING), 1)
        return found.value


def statistics(features: np.ndarray) -> dict:
    """Mean and covariance of at least two images' features (n, d), in double precision."""
    mean = features.mean(0, dtype=np.float64)
    scatter = np.zeros((len(mean), len(mean)))
    for first in range(0, len(features), BLOCK):
        centred = features[first : first + BLOCK] - mean
        scatter += centred.T @ centred
    return {"mu": mean, "sigma": scatter / (len(features) - 1)}


def frechet_distance(real: dict, synthetic: dict) -> Distance:
    """‖μ₁-μ₂‖² + tr(Σ₁ + Σ₂ - 2(Σ₁Σ₂)^½) of two ``statistics``.

    It is FID only where the features are Inception's. Biased upwards at few images, the
    more so below d of them, where a covariance is singular: compare at equal numbers only.
    0 or more, but for rounding. That of a singular product makes eigenvalues below 0 of some that
    are 0: their roots are imaginary, and left out, as torch-fidelity does; nothing is added to a
    diagonal.
    """
    means, covariances = zip(*((s["mu"], s["sigma"]) for s in (real, synthetic)), strict=True)
    apart, traces = means[0] - means[1], [np.trace(sigma) for sigma in covariances]
    product = covariances[0].dot(covariances[1])
    roots = np.sqrt(np.linalg.eigvals(product).astype("complex128"))
    value = apart.dot(apart) + traces[0] + traces[1] - 2 * np.sum(roots.real)
    return Distance(float(value), float(np.abs(np.sum(roots.imag)) / (sum(traces) or 1.0)))


def subset_size(n_real: int, n_synthetic: int) -> int:
    """Images of a subset of the kernel distance: as many as both sides have, at most 1,000."""
    return min(n_real, n_synthetic, LARGEST_SUBSET)


def kernel_distance(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Squared MMD with the kernel (x·y/d + 1)³ of features (n, d) and (N, d): KID.

    Bińkowski et al. (2018), by the estimator that expects the same of few images as of many,
    and may be below 0. That holds of images drawn independently. Sets hold ipc of each of C
    classes, so (ipc-1)/(C·ipc-1) of a set's pairs are of one class where it would be 1/C, and
    real images, too, come out below 0, most at IPC 1: compare at equal IPC only.

    The mean over 100 pairs of random subsets of ``subset_size`` images, which are those that
    torch-fidelity draws by seed 2020; in double precision (ours). It is KID only where the
    features are Inception's. NaN where there is one image.
    """
    size = subset_size(len(real), len(synthetic))
    if size < 2:  # no pair of one side
        return float("nan")
    rng = np.random.RandomState(SUBSET_SEED)
    found = []
    for _ in range(SUBSETS):
        pair = [
            features[rng.choice(len(features), size, replace=False)].astype(np.float64)
            for features in (real, synthetic)
        ]
        found.append(kernel_mmd(*pair))
    return float(np.mean(found))


def distance_row(
    cell: Mapping,
    extractor: str,
    real: Reference,
    sets: Sequence[tuple[np.ndarray, Sequence[bytes]]],
    tally: Tally | None = None,
) -> dict:
    """The row of one cell. sets: those of its sets that differ, with ``image_digests``.

    A set is features (n, d) of ``n_synthetic_per_set`` images, drawn under one seed; a coreset
    that is the same under all seeds is one. ``fid`` and ``kid`` are means over the ``n_sets``
    of the distance of one set, ``fid_std`` and ``kid_std`` sample deviations (NaN of one set).
    ``fid_pooled`` is that of the ``n_synthetic`` different images of all sets together, so of
    another bias. NaN where a set is one image. Where ``feature_dim`` is above a number of
    images, the caveat of ``frechet_distance`` holds.
    """
    pooled = _different([f for f, _ in sets], [image for _, images in sets for image in images])
    n_real, n_set = len(real.features), len(sets[0][0])
    fid, fid_std = _over_sets([real.distance(features, tally) for features, _ in sets])
    kid, kid_std = _over_sets([kernel_distance(real.features, features) for features, _ in sets])
    return {
        **{key: cell[key] for key in ("dataset", "method", "ipc")},
        "extractor": extractor,
        "feature_dim": pooled.shape[1],
        "n_real": n_real,
        "n_sets": len(sets),
        "n_synthetic_per_set": n_set,
        "fid": fid,
        "fid_std": fid_std,
        "n_synthetic": len(pooled),
        "fid_pooled": real.distance(pooled, tally),
        "kid": kid,
        "kid_std": kid_std,
        "kid_subset_size": subset_size(n_real, n_set),
    }


def _different(sets: Sequence[np.ndarray], digests: Sequence[bytes]) -> np.ndarray:
    """Features of all sets together, of equal images those of the first."""
    rows: dict[bytes, int] = {}
    for row, image in enumerate(digests):
        rows.setdefault(image, row)
    return np.concatenate(sets)[list(rows.values())]


def _over_sets(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample deviation."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else np.nan


def set_rows(cell: Mapping, real: Reference, sets: Mapping[int, np.ndarray]) -> list[dict]:
    """Rows of the table of single sets: the Fréchet distance of the set of each seed.

    sets: features (n, d) by seed.
    """
    key = {name: cell[name] for name in ("dataset", "method", "ipc")}
    return [{**key, "seed": seed, "fid": real.distance(points)} for seed, points in sets.items()]
