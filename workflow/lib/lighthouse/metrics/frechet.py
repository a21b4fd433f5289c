"""Fréchet distance of two sets of features, by torch-fidelity's own formula."""

from collections.abc import Mapping, Sequence

import numpy as np

from lighthouse.runtime.imports import standing_in, unmarked

# torch-fidelity loads torchvision, and that torch's compiler, to mark detectors that are not
# used here: nine tenths of the time.
with standing_in(
    {
        "torch._dynamo": {"disable": unmarked, "allow_in_graph": unmarked, "__path__": []},
        "torch._dynamo.utils": {"is_compile_supported": lambda device: False},
    }
):
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

#: Images whose features are held in double precision at once.
BLOCK = 8192


def statistics(features: np.ndarray) -> dict:
    """Mean and covariance of at least two images' features (n, d), in double precision."""
    mean = features.mean(0, dtype=np.float64)
    scatter = np.zeros((len(mean), len(mean)))
    for first in range(0, len(features), BLOCK):
        centred = features[first : first + BLOCK] - mean
        scatter += centred.T @ centred
    return {"mu": mean, "sigma": scatter / (len(features) - 1)}


def frechet_distance(real: dict, synthetic: dict) -> float:
    """‖μ₁-μ₂‖² + tr(Σ₁ + Σ₂ - 2(Σ₁Σ₂)^½) of two ``statistics``.

    It is FID only where the features are Inception's. Biased upwards at few images, the
    more so below d of them, where a covariance is singular: compare at equal numbers only.
    """
    return fid_statistics_to_metric(real, synthetic, verbose=False)[KEY_METRIC_FID]


def distance_row(
    cell: Mapping, extractor: str, n_real: int, real: dict, sets: Sequence[np.ndarray]
) -> dict:
    """The row of one cell. real: ``statistics``; sets: features (n, d), a set for each seed.

    ``fid`` is that of all seeds' images together, ``n_synthetic`` of them;
    ``fid_seed_mean`` and ``fid_seed_std`` (of a sample: NaN at one seed) are over sets of
    ``n_synthetic_per_seed`` images, so of another bias. NaN where a set is one image. Where
    ``feature_dim`` is above a number of images, the caveat of ``frechet_distance`` holds.
    """
    pooled = np.concatenate(sets)
    distances = [_distance(real, features) for features in sets]
    return {
        **{key: cell[key] for key in ("dataset", "method", "ipc")},
        "extractor": extractor,
        "feature_dim": pooled.shape[1],
        "n_real": n_real,
        "n_synthetic": len(pooled),
        "fid": _distance(real, pooled),
        "n_synthetic_per_seed": len(sets[0]),
        "fid_seed_mean": float(np.mean(distances)),
        "fid_seed_std": float(np.std(distances, ddof=1)) if len(sets) > 1 else float("nan"),
    }


def _distance(real: dict, features: np.ndarray) -> float:
    if len(features) < 2:  # no covariance
        return float("nan")
    return frechet_distance(real, statistics(features))
