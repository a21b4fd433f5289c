"""The singular values of deep features, and how many directions they amount to."""

import numpy as np


def singular_values(features: np.ndarray) -> np.ndarray:
    """Singular values of centred features (n, d), falling, (min(n - 1, d),).

    Centring takes one direction from n points: the n-th value is rounding, and left out. All are
    rounding where features are equal: those values are 0. One point has none.
    """
    features = features.astype(np.float64)
    values = np.linalg.svd(features - features.mean(0), compute_uv=False)[: len(features) - 1]
    rounding = np.finfo(np.float64).eps * len(features) * np.linalg.norm(features)
    return values if (values > rounding).any() else np.zeros_like(values)


def effective_rank(values: np.ndarray) -> float:
    """exp of the entropy of σ/Σσ (Roy and Vetterli, 2007); NaN where nothing varies."""
    if not values.any():
        return float("nan")
    share = values / values.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def stable_rank(values: np.ndarray) -> float:
    """Σσ²/σ₁²; NaN where nothing varies."""
    return float((values**2).sum() / values[0] ** 2) if values.any() else float("nan")


def energy_left(values: np.ndarray, k: int) -> float:
    """Share of Σσ² behind the first k values, a fraction; NaN where nothing varies."""
    return float((values[k:] ** 2).sum() / (values**2).sum()) if values.any() else float("nan")


def value_rows(key: dict, values: np.ndarray) -> list[dict]:
    """Rows of the spectrum table: ``normalised`` is σ_i/σ_1, NaN where nothing varies."""
    first = values.max(initial=0) or float("nan")
    return [
        {**key, "index": i, "singular_value": value, "normalised": value / first}
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
