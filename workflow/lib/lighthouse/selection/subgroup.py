"""Subgroup selection: one of several sampled sets of each class, all classes considered.

S³ of IMS³ (CVPR 2026), Algorithm 2 and Eq. 10, as its public program has it
(Westlake-AGI-Lab/IMS3, ``centroid.py`` and ``run.sh``).
"""

from collections.abc import Mapping

import numpy as np

from lighthouse.metrics.setutility import unit
from lighthouse.selection.pool import Pool

#: Distances below this count as so far: what is reckoned of two equal directions is rounding, and
#: 0 has no logarithm (ours).
LEAST = 1e-12


def subgroup(pool: Pool, options: Mapping) -> np.ndarray:
    """Positions of the set that each class keeps, (C, N) int64: see ``choose_groups``.

    Centres are those of features of length 1, brought to length 1 again. Real images are all of
    which there are features (``metrics.real_images_per_class``; the source takes 200 at most).
    """
    if pool.features is None or pool.real is None:
        raise ValueError("subgroup selection needs features, those of the real images too")
    sets = pool.features.reshape(len(pool.features), -1, pool.ipc, pool.features.shape[-1])
    centres = np.stack([[centre(one) for one in own] for own in sets])
    real = np.stack([centre(own) for own in pool.real])
    weights = options["nearness"], options["spread"]
    groups = choose_groups(centres, real, *weights, options["rounds"])
    return groups[:, None] * pool.ipc + np.arange(pool.ipc)


def centre(features: np.ndarray) -> np.ndarray:
    """The mean of features (n, d) of length 1, itself of length 1: (d,) float64."""
    return unit(unit(features.astype(np.float64)).mean(0))


def choose_groups(
    centres: np.ndarray, real: np.ndarray, nearness: float, spread: float, rounds: int
) -> np.ndarray:
    """Which of G sets each of C classes keeps, (C,) int64.

    centres: of the sets, (C, G, d), real: of the real images, (C, d), all of length 1. What is to
    be large is α Σ_i -log d(c_i, r_i) + β Σ_{i<j} log d(c_i, c_j), d = 1 - cosine. It begins with
    the sets nearest to the real centres, as the public program does (the paper begins at random),
    and goes over the classes in order: each takes the set that is best beside those that the
    others have at the moment. It ends behind a round without a change, or ``rounds``. Ties keep
    what there is, or go to the first set.
    """
    near = -nearness * _log_distance(np.einsum("cgd,cd->cg", centres, real))
    own = np.arange(len(centres))
    found = _log_distance(np.einsum("cgd,cd->cg", centres, real)).argmin(1)
    for _ in range(rounds):
        before = found.copy()
        for label in own:
            others = centres[own != label, found[own != label]]
            apart = _log_distance(centres[label] @ others.T).sum(1)
            value = near[label] + spread * apart
            best = value.argmax()
            if value[best] > value[found[label]]:
                found[label] = best
        if (found == before).all():
            break
    return found


def _log_distance(cosines: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(1 - cosines, LEAST))
