"""Support points chosen of sampled images: those with the least energy among the real ones (ours).

The energy is that of Mak and Joseph (2018), by deep features, as the coreset ``support-deep`` has
it of real images.
"""

from collections.abc import Mapping

import numpy as np

from lighthouse.coresets import least_energy
from lighthouse.metrics.setutility import distances
from lighthouse.selection.pool import Pool


def support(pool: Pool, options: Mapping) -> np.ndarray:
    """Positions of the N images of each class that no swap betters, (C, N) int64, rising.

    The best of as many ends as sets were sampled, each of which is once where swaps begin.
    """
    if pool.features is None or pool.real is None:
        raise ValueError("this selection needs features, those of the real images too")
    return np.stack(
        [chosen(*pair, pool.ipc) for pair in zip(pool.features, pool.real, strict=True)]
    )


def chosen(sampled: np.ndarray, real: np.ndarray, count: int) -> np.ndarray:
    """Rows of sampled features (M, d) that stand for the real ones (n, d), (count,), rising."""
    sampled, real = sampled.astype(np.float64), real.astype(np.float64)
    starts = np.arange(len(sampled)).reshape(-1, count)
    apart, towards = distances(sampled, sampled), distances(sampled, real)
    return np.sort(least_energy(apart, starts, towards))
