"""Utility of a finished set: log det of its kernel, and how it lies among the real data."""

from typing import NamedTuple

import numpy as np

#: Images whose distances are held at once: to 10,000 of a class, 80 MB.
BLOCK = 1024
#: By how much of a radius a distance may exceed it. Where the synthetic images are real
#: ones, as a coreset's, many lie on a radius, and rounding must not decide (ours).
SLACK = 1e-5
#: Squares of distances below this share of the points' squared lengths are what rounding leaves
#: between a point and itself in products of float64: the two are one.
SAME = 1e-12


def log_det(latents: np.ndarray, epsilon: float) -> float:
    """log det(K + εI), K the ``cosines`` of a class's latents (N, …). 0 is about the most.

    ε, which the config holds above 0, is the least eigenvalue where latents are equal, or more than
    their numbers. Raises ``FloatingPointError`` of a latent that is not finite, and where rounding
    swallows so small an ε.
    """
    sign, value = np.linalg.slogdet(cosines(latents) + epsilon * np.eye(len(latents)))
    if not sign > 0:
        raise FloatingPointError(
            f"log det: equal latents are beyond what float64 tells at an ε of {epsilon:g}: raise "
            "guidance.dpp.epsilon"
        )
    return float(value)


def cosines(latents: np.ndarray) -> np.ndarray:
    """Cosines of flattened latents (N, …) with one another, (N, N), in float64.

    Those of a latent of zeros are 0, with itself as well, as guidance has them. Raises
    ``FloatingPointError`` of one that is not finite.
    """
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    if not (finite := np.isfinite(flat).all(1)).all():
        raise FloatingPointError(
            f"latent {finite.argmin()} of {len(flat)} of a class is not finite"
        )
    directions = unit(flat)
    return directions @ directions.T


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (…, d) at length 1; those of zeros stay."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length == 0, np.inf, length)


def nearest(n: int, neighbours: int) -> int:
    """Which of the others among n a ball reaches to: the k-th, or the last of fewer (ours)."""
    return min(neighbours, n - 1)


def radii(images: np.ndarray, neighbours: int) -> np.ndarray:
    """Distance of each image of a class (n, d) to its k-th nearest of the others, (n,)."""
    k = nearest(len(images), neighbours)  # the 0-th is the image itself
    blocks = [images[first : first + BLOCK] for first in range(0, len(images), BLOCK)]
    return np.concatenate([np.partition(distances(block, images), k)[:, k] for block in blocks])


def covered(real: np.ndarray, radius: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Which real image has which synthetic one at most as far as its k-th real neighbour.

    real: (n, d) features; radius: their ``radii``, (n,); synthetic: (N, d). (n, N) bool.
    """
    return _within(distances(real, synthetic), radius[:, None])


class Manifold(NamedTuple):
    """How a class's N synthetic images and n real ones lie among each other.

    coverage: share of real images in whose ball a synthetic one is, at most about N·k/n.
    precision: share of synthetic images that are in the ball of a real one.
    recall: share of real images that are in the ball of a synthetic one; NaN where N ≤ k.
    density: in how many real images' balls a synthetic one is, over k; may exceed 1.
    Compare them at equal N only.
    """

    coverage: float
    precision: float
    recall: float
    density: float


def manifold(
    real: np.ndarray, radius: np.ndarray, synthetic: np.ndarray, neighbours: int
) -> Manifold:
    """Measures of one class, each image's ball reaching to the k-th nearest of its own kind.

    Precision and recall of Kynkäänniemi et al. (2019), density and coverage of Naeem et al.
    (2020, Eq. 4 is coverage), with closed balls: one of radius 0, as of an image with k twins or of
    a class's only one, holds what is equal to it. real: (n, d) features; radius: their
    ``radii`` by the same neighbours k, (n,); synthetic: (N, d).
    """
    has_recall = len(synthetic) > neighbours
    reach = radii(synthetic, neighbours) if has_recall else np.zeros(len(synthetic))
    balls = np.zeros(len(synthetic), int)
    lit, reached = [], []
    for first in range(0, len(real), BLOCK):
        rows = slice(first, first + BLOCK)
        apart = distances(real[rows], synthetic)
        inside = _within(apart, radius[rows, None])
        balls += inside.sum(axis=0)
        lit.append(inside.any(axis=1))
        reached.append(_within(apart, reach).any(axis=1))
    return Manifold(
        coverage=float(np.concatenate(lit).mean()),
        precision=float((balls > 0).mean()),
        recall=float(np.concatenate(reached).mean()) if has_recall else float("nan"),
        density=float(balls.mean()) / max(nearest(len(real), neighbours), 1),
    )


def _within(apart: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Which distance is at most a radius."""
    return apart <= radius * (1 + SLACK)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of points (m, d) from others (n, d), (m, n), in float64; 0 of equal ones (``SAME``)."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = (a**2).sum(1)[:, None] + (b**2).sum(1)
    squares = lengths - 2 * a @ b.T
    return np.sqrt(np.where(squares > SAME * lengths, squares, 0))
