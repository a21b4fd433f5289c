"""Confident selection: the sampled images that a classifier of real ones is surest of.

CaO₂ (ICCV 2025), its first stage, as its public program has it for few images a class
(hatchetProject/CaO2, ``sample_nette.py``).
"""

from collections.abc import Mapping

import numpy as np

from lighthouse.selection.pool import Pool


def confident(pool: Pool, options: Mapping) -> np.ndarray:
    """Positions of the N images of each class that are kept, (C, N) int64: see ``surest``."""
    if pool.logits is None:
        raise ValueError("confident selection needs the answers of a classifier")
    return np.stack([surest(own, label, pool.ipc) for label, own in enumerate(pool.logits)])


def surest(logits: np.ndarray, label: int, count: int) -> np.ndarray:
    """Rows of logits (M, K) of images of class ``label``, (count,) int64.

    First those whose largest logit is the class's, the largest probability first; where they are
    too few, those that it puts elsewhere, again the surest first, of whichever class. In float64,
    where the source's float32 takes many probabilities for 1 (ours). Ties go to the first row.
    """
    logits = logits.astype(np.float64)
    largest = logits.max(1)
    log_probability = -np.log(np.exp(logits - largest[:, None]).sum(1))
    wrong = logits.argmax(1) != label
    return np.lexsort((-log_probability, wrong))[:count]
