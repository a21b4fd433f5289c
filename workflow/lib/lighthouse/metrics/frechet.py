"""Fréchet distance of two sets of features, by torch-fidelity's own formulas."""

import numpy as np
import torch
from torch_fidelity.metric_fid import (
    KEY_METRIC_FID,
    fid_features_to_statistics,
    fid_statistics_to_metric,
)


def statistics(features: np.ndarray) -> dict:
    """Mean and covariance of features (n, d)."""
    return fid_features_to_statistics(torch.from_numpy(features))


def frechet_distance(real: dict, synthetic: dict) -> float:
    """‖μ₁-μ₂‖² + tr(Σ₁ + Σ₂ - 2(Σ₁Σ₂)^½) of two ``statistics``.

    It is FID only where the features are Inception's. Biased upwards at few images:
    compare at equal numbers only.
    """
    return fid_statistics_to_metric(real, synthetic, verbose=False)[KEY_METRIC_FID]
