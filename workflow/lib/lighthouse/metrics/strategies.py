"""The lighthouse claim: do jointly sampled sets come nearer to the best set than greedy ones?

Supplement §1.2 calls sampling one image after the other a greedy search for the best set S
of a utility U(S), and expects joint sampling to end nearer to the optimum. The optimum over
all images is unknown. What it can be compared with (ours) are sets picked from a pool of
finished, unguided samples of the same class: the best of many random picks, the greedy pick
of Nemhauser et al. (1978), and that pick after swaps. A guided set may exceed them all, for
it is not bound to the pool; whether it paid for that with images that are no longer of the
class shows in the second utility, coverage of the real images.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from scipy import stats

from lighthouse.metrics.sets import class_sets
from lighthouse.metrics.setutility import cosines, covered, log_det
from lighthouse.metrics.subsets import MEASURES, PICKED, picks

#: The strategies of which the claim speaks, and what both are held against.
COUPLED, REFERENCES = ("joint", "sequential"), ("iid", *PICKED)
#: 1 - the confidence of intervals and verdicts.
ALPHA = 0.05
#: A standard deviation below this share of its mean is rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Points:
    """Images of one class. latents: (N, …); features: (N, d), deep."""

    latents: np.ndarray
    features: np.ndarray

    def __len__(self) -> int:
        return len(self.latents)


@dataclass(frozen=True)
class Coast:
    """Real images of one class: features (n, d), and ``setutility.radii`` of them, (n,)."""

    features: np.ndarray
    radius: np.ndarray

    def lit(self, features: np.ndarray) -> np.ndarray:
        """Which real image is ``covered`` by which of N synthetic ones, (n, N) bool."""
        return covered(self.features, self.radius, features)


def class_points(
    images: str | Path,
    latents: str | Path,
    seeds: Sequence[int],
    ipc: int,
    extract: Callable[[np.ndarray], np.ndarray],
) -> Iterator[dict[int, Points]]:
    """For one class after the other, the sets of a cell's two files by seed.

    extract: images (n, 3, H, W) uint8 to features (n, d).
    """
    streams = [
        zip(class_sets(latents, seed, ipc), class_sets(images, seed, ipc), strict=True)
        for seed in seeds
    ]
    for sets in zip(*streams, strict=True):
        yield {
            seed: Points(points, extract(pictures))
            for seed, (points, pictures) in zip(seeds, sets, strict=True)
        }


def joined(sets: Mapping[int, Points]) -> Points:
    """The sets of all seeds as one pool."""
    parts = list(sets.values())
    return Points(
        *(np.concatenate([getattr(p, a) for p in parts]) for a in ("latents", "features"))
    )


def class_rows(
    key: Mapping,
    sets: Mapping[str, Mapping[int, Points]],
    pool: Points,
    coast: Coast,
    subsets: np.ndarray,
    epsilon: float,
) -> list[dict]:
    """Rows of one class: a row for each sampled set, then one for each pick of the pool.

    key: ``dataset``, ``ipc``, ``class``. sets: strategy → seed → set of ``ipc`` images.
    subsets: (count, ipc) positions in the pool. ``log_det`` is of latents, at most about 0;
    ``coverage`` a fraction. A pick has no seed, and says which measure it was ``chosen_by``.
    """

    def row(strategy: str, chosen_by: str, seed: object, latents: np.ndarray, lit: np.ndarray):
        return {
            "dataset": key["dataset"],
            "ipc": key["ipc"],
            "strategy": strategy,
            "chosen_by": chosen_by,
            "seed": seed,
            "class": key["class"],
            "log_det": log_det(latents, epsilon),
            "coverage": float(lit.any(1).mean()),
        }

    rows = [
        row(strategy, "", seed, points.latents, coast.lit(points.features))
        for strategy, by_seed in sets.items()
        for seed, points in by_seed.items()
    ]
    lit = coast.lit(pool.features)
    chosen = picks(cosines(pool.latents), lit, subsets.shape[1], subsets, epsilon)
    return rows + [
        row(strategy, measure, "", pool.latents[images], lit[:, images])
        for (strategy, measure), images in chosen.items()
    ]


def replicate_means(
    rows: Sequence[Mapping], strategy: str, measure: str, replicates: Mapping[object, int]
) -> np.ndarray:
    """Means over classes and sets: of a sampled strategy one a replicate, in the seeds' order.

    Of picks there is one, of those that were chosen by the measure itself. replicates: that of
    each set, by its sampling seed.
    """
    found: dict[object, list[float]] = {}
    for row in rows:
        if row["strategy"] == strategy and row["chosen_by"] in ("", measure):
            found.setdefault(replicates.get(row["seed"]), []).append(row[measure])
    return np.array([np.mean(values) for values in found.values()])


def claim(differences: np.ndarray) -> dict:
    """Whether a difference is above 0, by a two-sided t-test over replicates.

    differences: (n,), one a replicate. ``holds`` is "yes" or "no" where the 95 % interval is above
    or below 0. One replicate gives neither interval nor p, and nor do several that differ by the
    very same amount, since no test knows how sure that is: ``holds`` is "not tested". Where they do
    not differ p is 1.
    """
    n, mean = len(differences), float(differences.mean())
    std = float(differences.std(ddof=1)) if n > 1 else float("nan")
    low = high = p = float("nan")
    if n > 1 and std > ROUNDING * abs(mean):
        test = stats.ttest_1samp(differences, 0.0)
        low, high = map(float, test.confidence_interval(1 - ALPHA))
        p = float(test.pvalue)
    elif n > 1 and mean == 0:
        p = 1.0
    holds = "yes" if low > 0 else "no" if high < 0 else "not distinguishable"
    if np.isnan(p):
        holds = "not tested"
    return {
        "n": n,
        "difference": mean,
        "std": std,
        "ci_low": low,
        "ci_high": high,
        "p": p,
        "holds": holds,
    }


def comparisons(strategies: Sequence[str]) -> list[tuple[str, str]]:
    """What is compared with what: the coupled with one another and with their references.

    All other strategies, methods that are shown beside these, with each of the coupled.
    """
    beside = [name for name in strategies if name not in (*COUPLED, *REFERENCES)]
    return [COUPLED, *product(COUPLED, REFERENCES), *product(beside, COUPLED)]


def claims(dataset: str, rows: Sequence[Mapping], replicates: Mapping[object, int]) -> list[dict]:
    """Rows of the test of each comparison and measure. rows: ``class_rows`` of all classes.

    Sampled strategies are paired by replicate (that of each set, by its sampling seed), since
    they go back to the same base prior and start from the same noise. A pick is one set of the
    pool of all, so that what varies is the sampled side alone.
    """

    def means(strategy: str, measure: str) -> np.ndarray:
        return replicate_means(rows, strategy, measure, replicates)

    strategies = list(dict.fromkeys(row["strategy"] for row in rows))
    return [
        {
            "dataset": dataset,
            "measure": measure,
            "comparison": f"{first} - {second}",
            **claim(means(first, measure) - means(second, measure)),
        }
        for measure in MEASURES
        for first, second in comparisons(strategies)
    ]
