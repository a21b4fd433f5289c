"""Utility of a finished set: log det of its kernel, and coverage of the real data."""

import numpy as np

#: Real images whose distances are held at once: at 10,000 of a class, 80 MB.
BLOCK = 1024
#: By how much of a radius a distance may exceed it. Where the synthetic images are real
#: ones, as a coreset's, many lie on a radius, and rounding must not decide (ours).
SLACK = 1e-5


def log_det(latents: np.ndarray, epsilon: float) -> float:
    """log det(K + εI), K the cosines of a class's latents (N, …). 0 is about the most."""
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    sign, value = np.linalg.slogdet(unit @ unit.T + epsilon * np.eye(len(unit)))
    if sign <= 0:
        raise FloatingPointError("log det: the kernel is not positive definite")
    return float(value)


def radii(real: np.ndarray, neighbours: int) -> np.ndarray:
    """Distance of each real image (n, d) to its k-th nearest of the others, (n,)."""
    k = min(neighbours, len(real) - 1)  # the 0-th is the image itself
    blocks = [real[first : first + BLOCK] for first in range(0, len(real), BLOCK)]
    return np.concatenate([np.partition(_distances(block, real), k)[:, k] for block in blocks])


def covered(real: np.ndarray, radius: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Which real image has which synthetic one at most as far as its k-th real neighbour.

    real: (n, d) features; radius: their ``radii``, (n,); synthetic: (N, d). (n, N) bool.
    """
    return _distances(real, synthetic) <= radius[:, None] * (1 + SLACK)


def coverage(real: np.ndarray, radius: np.ndarray, synthetic: np.ndarray) -> float:
    """Share of real images that a synthetic one ``covered``.

    Naeem et al. (2020), Eq. 4, with closed balls. A fraction; at most about N·k/n, so compare
    it at equal N only.
    """
    return float(covered(real, radius, synthetic).any(axis=1).mean())


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.astype(np.float64), b.astype(np.float64)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))
