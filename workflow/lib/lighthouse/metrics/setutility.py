"""Utility of a finished set: log det of its kernel, and coverage of the real data."""

import numpy as np


def log_det(latents: np.ndarray, epsilon: float) -> float:
    """log det(K + εI), K the cosines of a class's latents (N, …). 0 is about the most."""
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    sign, value = np.linalg.slogdet(unit @ unit.T + epsilon * np.eye(len(unit)))
    if sign <= 0:
        raise FloatingPointError("log det: the kernel is not positive definite")
    return float(value)


def coverage(real: np.ndarray, synthetic: np.ndarray, neighbours: int) -> float:
    """Share of real images with a synthetic one nearer than their k-th real neighbour.

    Naeem et al. (2020), Eq. 4. real: (n, d) features, synthetic: (N, d). A fraction; at
    most about N·k/n, so compare it at equal N only.
    """
    to_real = np.sort(_distances(real, real), axis=1)
    radius = to_real[:, min(neighbours, len(real) - 1)]  # column 0 is the image itself
    return float((_distances(real, synthetic).min(axis=1) <= radius).mean())


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))
