"""Toy sets, pool and coast for the tests of the lighthouse claim and of its figure."""

from itertools import combinations

import numpy as np
import pandas as pd

from lighthouse.metrics.projection import map_rows
from lighthouse.metrics.setutility import radii
from lighthouse.metrics.strategies import Coast, Points, class_rows

EPSILON = 1e-3
KEY = {"dataset": "toy", "ipc": 2, "class": "a"}


def rng(seed=0):
    return np.random.default_rng(seed)


def points(seed, n=2):
    return Points(rng(seed).normal(size=(n, 1, 2, 2)), rng(seed + 50).normal(size=(n, 3)))


def coast(seed=9, n=20):
    features = rng(seed).normal(size=(n, 3))
    return Coast(features, radii(features, 2))


def sets_of_two_seeds(beside=()):
    return {
        kind: {seed: points(10 * i + seed) for seed in (0, 1)}
        for i, kind in enumerate(("iid", "sequential", "joint", *beside))
    }


def toy_rows(name="a", beside=()):
    pool = points(99, n=6)
    return class_rows(
        {**KEY, "class": name},
        sets_of_two_seeds(beside),
        pool,
        coast(),
        np.array(list(combinations(range(6), 2))),
        EPSILON,
    )


def toy_map(beside=()):
    kinds = ("sequential", "joint", *beside)
    sets = {kind: points(1 + 30 * i) for i, kind in enumerate(kinds)}
    return pd.DataFrame(map_rows("toy", "b", coast(1), sets, 0))


def toy_images(beside=(), real=4):
    """Images of 4 px: two of each set, and some real ones."""
    counts = {"real": real, "sequential": 2, "joint": 2, **dict.fromkeys(beside, 2)}
    return {
        kind: rng(i).integers(0, 256, (n, 3, 4, 4), np.uint8)
        for i, (kind, n) in enumerate(counts.items())
    }
