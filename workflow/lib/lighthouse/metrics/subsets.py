"""Subsets of a pool that are good by a set utility: the best of many, greedy, and swapped.

Each is given as positions in the pool, (n,). The best subset of all is out of reach: its
search is NP-hard for log det and for coverage alike.
"""

import numpy as np
import torch

MEASURES = ("log_det", "coverage")
#: How a subset is picked.
PICKED = ("best of random", "greedy subset", "greedy and swaps")
#: Subsets whose determinants are taken at once: at 100 images each, 8 MB.
BLOCK = 100
#: A swap must raise log det by more than this: rounding must not swap forever.
GAIN = 1e-9


def random_subsets(size: int, n: int, count: int, rng: torch.Generator) -> np.ndarray:
    """``count`` draws of ``n`` out of ``size`` without replacement, (count, n)."""
    return torch.rand(count, size, generator=rng).argsort(1)[:, :n].numpy()


def best_log_det(kernel: np.ndarray, subsets: np.ndarray, epsilon: float) -> np.ndarray:
    """The subset of largest log det(K + εI). kernel: (P, P) cosines."""
    ridge = epsilon * np.eye(subsets.shape[1])
    values = [
        np.linalg.slogdet(kernel[part[:, :, None], part[:, None, :]] + ridge)[1]
        for part in np.array_split(subsets, -(-len(subsets) // BLOCK))
    ]
    return subsets[np.concatenate(values).argmax()]


def best_coverage(lit: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    """The subset that lights most. lit: (n, P) bool."""
    return subsets[np.argmax([lit[:, subset].any(1).sum() for subset in subsets])]


def greedy_log_det(kernel: np.ndarray, n: int, epsilon: float) -> np.ndarray:
    """Picks that each raise log det(K + εI) most: a pivoted Cholesky factorisation.

    The first pick is a tie, as all cosines of an image with itself are 1; it is the first
    of the pool, and so is the winner of every other tie.
    """
    # exp of what a pick would add to the log det.
    left = np.full(len(kernel), 1 + epsilon)
    factor = np.zeros((n, len(kernel)))
    chosen: list[int] = []
    for step in range(n):
        pick = int(left.argmax())
        row = kernel[pick] - factor[:step, pick] @ factor[:step]
        factor[step] = row / np.sqrt(left[pick])
        left = left - factor[step] ** 2
        chosen.append(pick)
        left[chosen] = -np.inf
    return np.array(chosen)


def greedy_coverage(lit: np.ndarray, n: int) -> np.ndarray:
    """Picks that each light most of what is still dark; where none does, the first left over."""
    dark = np.ones(len(lit), bool)
    chosen: list[int] = []
    for _ in range(n):
        gains = lit[dark].sum(0)
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        dark &= ~lit[:, chosen[-1]]
    return np.array(chosen)


def swapped_log_det(kernel: np.ndarray, chosen: np.ndarray, epsilon: float) -> np.ndarray:
    """The set after the best swap of one image, again and again until none helps.

    With A = (K_S + εI)⁻¹ and s_j = 1 + ε - k_jᵀ A k_j, a swap of i for j multiplies the
    determinant by A_ii s_j + (A k_j)_i².
    """
    ridge = epsilon * np.eye(len(chosen))
    value = np.linalg.slogdet(kernel[np.ix_(chosen, chosen)] + ridge)[1]
    while len(outside := np.setdiff1d(np.arange(len(kernel)), chosen)):
        inverse = np.linalg.inv(kernel[np.ix_(chosen, chosen)] + ridge)
        beside = kernel[np.ix_(chosen, outside)]
        reached = inverse @ beside
        rest = 1 + epsilon - (beside * reached).sum(0)
        ratio = np.diag(inverse)[:, None] * rest + reached**2
        out, into = np.unravel_index(ratio.argmax(), ratio.shape)
        swapped = chosen.copy()
        swapped[out] = outside[into]
        # The gain as it is, not as the update has it: at a tiny ε the inverse is inexact.
        after = np.linalg.slogdet(kernel[np.ix_(swapped, swapped)] + ridge)[1]
        if after <= value + GAIN:
            break
        chosen, value = swapped, after
    return chosen


def swapped_coverage(lit: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The set after the best swap of one image, again and again until none lights more."""
    chosen = chosen.copy()
    while len(outside := np.setdiff1d(np.arange(lit.shape[1]), chosen)):
        lights = lit[:, chosen].sum(1)
        # What goes dark without image i; float32 counts exactly far beyond any class's size.
        lone = (lit[:, chosen] & (lights == 1)[:, None]).astype(np.float32)
        others = lit[:, outside].astype(np.float32)
        gain = (lights == 0).astype(np.float32) @ others + lone.T @ others
        net = gain - lone.sum(0)[:, None]
        out, into = np.unravel_index(net.argmax(), net.shape)
        if net[out, into] <= 0:
            break
        chosen[out] = outside[into]
    return chosen


def picks(
    kernel: np.ndarray, lit: np.ndarray, n: int, subsets: np.ndarray, epsilon: float
) -> dict[tuple[str, str], np.ndarray]:
    """By (strategy of ``PICKED``, measure that it maximises), the images picked from a pool."""
    by_volume, by_light = greedy_log_det(kernel, n, epsilon), greedy_coverage(lit, n)
    sets = (
        (best_log_det(kernel, subsets, epsilon), best_coverage(lit, subsets)),
        (by_volume, by_light),
        (swapped_log_det(kernel, by_volume, epsilon), swapped_coverage(lit, by_light)),
    )
    return {
        (strategy, measure): chosen
        for strategy, pair in zip(PICKED, sets, strict=True)
        for measure, chosen in zip(MEASURES, pair, strict=True)
    }
