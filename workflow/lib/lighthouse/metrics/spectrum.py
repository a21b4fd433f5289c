"""The singular values of deep features, and how many directions they amount to."""

import numpy as np


def singular_values(features: np.ndarray) -> np.ndarray:
    """Singular values of centred features (n, d), falling, (min(n - 1, d),).

    Centring takes one direction from n points: the n-th value is rounding, and left out.
    """
    features = features.astype(np.float64)
    values = np.linalg.svd(features - features.mean(0), compute_uv=False)
    return values[: len(features) - 1]


def effective_rank(values: np.ndarray) -> float:
    """exp of the entropy of σ/Σσ (Roy and Vetterli, 2007)."""
    share = values / values.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def stable_rank(values: np.ndarray) -> float:
    """Σσ²/σ₁²."""
    return float((values**2).sum() / values[0] ** 2)


def energy_left(values: np.ndarray, k: int) -> float:
    """Share of Σσ² behind the first k values, a fraction."""
    return float((values[k:] ** 2).sum() / (values**2).sum())


def value_rows(key: dict, values: np.ndarray) -> list[dict]:
    """Rows of the spectrum table: ``normalised`` is σ_i/σ_1."""
    return [
        {**key, "index": i, "singular_value": value, "normalised": value / values[0]}
        for i, value in enumerate(values, start=1)
    ]


def rank_row(key: dict, values: np.ndarray) -> dict:
    """A row of the table of ranks."""
    return {
        **key,
        "effective_rank": effective_rank(values),
        "stable_rank": stable_rank(values),
        "energy_left_10": energy_left(values, 10),
        "energy_left_30": energy_left(values, 30),
    }
