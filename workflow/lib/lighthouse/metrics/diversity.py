"""One row of the diversity table for each set."""

from collections.abc import Iterable, Mapping

import numpy as np

from lighthouse.metrics.copying import RealSpaces
from lighthouse.metrics.real_classes import RealClasses
from lighthouse.metrics.setutility import log_det
from lighthouse.metrics.ssim import chosen_pairs, mean_ssim
from lighthouse.runtime.rng import generator
from lighthouse.tables import CELL


def diversity_row(
    cell: Mapping,
    seed: int,
    images: Iterable[np.ndarray],
    latents: Iterable[np.ndarray],
    features: Iterable[np.ndarray],
    recognised: Iterable[np.ndarray],
    real: RealClasses,
    spaces: RealSpaces,
    epsilon: float,
    most_pairs: int,
) -> dict:
    """The row of one set; each measure is the mean over classes.

    images, latents: (N, …) of one class after the other; features: (N, d), deep, of its images;
    recognised: which of them the extractor puts into their class (``features.recognised``).
    ``ssim`` in [-1, 1], of at most ``most_pairs`` pairs a class, ``n_pairs`` of them, NaN at
    IPC 1; ``log_det`` ≤ about 0; ``mean_magnitude``, E|z| over the latents' numbers;
    ``coverage``, ``precision``, ``recall`` and ``density`` as in ``Manifold``; ``recognised``, the
    share of images, NaN where the extractor does not know the classes; ``nearest_…`` as in
    ``RealSpaces``.
    """
    per_class, parts = [], zip(images, latents, features, recognised, strict=True)
    for label, (pictures, points, deep, known) in enumerate(parts):
        # The same pairs for every method: their images start from the same noise.
        rng = generator("ssim-pairs", seed, cell["dataset"], label)
        pairs = chosen_pairs(len(pictures), most_pairs, rng)
        per_class.append(
            {
                "ssim": mean_ssim(pictures, pairs),
                "log_det": log_det(points, epsilon),
                "mean_magnitude": np.abs(points).mean(dtype=np.float64),
                **real.manifold(label, deep)._asdict(),
                "recognised": known.mean(),
                **spaces.nearness(label, points, deep),
            }
        )
    return {
        **{key: cell[key] for key in CELL},
        "seed": seed,
        "n_pairs": len(pairs),
        **{name: np.mean([found[name] for found in per_class]) for name in per_class[0]},
    }
