"""One row of the diversity table for each set."""

from collections.abc import Mapping, Sequence

import numpy as np

from lighthouse.metrics.features import Extractor
from lighthouse.metrics.setutility import coverage, log_det
from lighthouse.metrics.ssim import mean_ssim


def diversity_rows(
    cell: Mapping,
    images: Mapping[str, np.ndarray],
    latents: Mapping[str, np.ndarray],
    seeds: Sequence[int],
    extractor: Extractor,
    real: np.ndarray,
    real_labels: np.ndarray,
    epsilon: float,
    neighbours: int,
) -> list[dict]:
    """Rows of a cell, one a seed; each measure is the mean over classes.

    images, latents: (C, ≥N, …) by ``seed~<seed>``, of which the first N = IPC count.
    real: features (n, d) of the real training part, real_labels: (n,). ``ssim`` in
    [-1, 1], NaN at IPC 1; ``log_det`` ≤ about 0; ``coverage`` a fraction.
    """
    rows = []
    for seed in seeds:
        pictures, points = (x[f"seed~{seed}"][:, : cell["ipc"]] for x in (images, latents))
        features = extractor.array(pictures)
        per_class = [
            (
                mean_ssim(pictures[k]),
                log_det(points[k], epsilon),
                coverage(real[real_labels == k], features[k], neighbours),
            )
            for k in range(len(pictures))
        ]
        ssim, volume, covered = np.mean(per_class, axis=0)
        rows.append(
            {
                **{key: cell[key] for key in ("dataset", "method", "ipc", "eta_dpp")},
                "seed": seed,
                "ssim": ssim,
                "log_det": volume,
                "coverage": covered,
            }
        )
    return rows
