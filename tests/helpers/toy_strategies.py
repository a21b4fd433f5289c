"""Toy sets, pool and coast for the tests of the lighthouse claim and of its figure."""

from itertools import combinations

import numpy as np
import pandas as pd

from lighthouse.metrics.projection import maps
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


def sets_of_two_seeds():
    return {
        kind: {seed: points(10 * i + seed) for seed in (0, 1)}
        for i, kind in enumerate(("iid", "sequential", "joint"))
    }


def toy_rows(name="a"):
    pool = points(99, n=6)
    return class_rows(
        {**KEY, "class": name},
        sets_of_two_seeds(),
        pool,
        coast(),
        np.array(list(combinations(range(6), 2))),
        EPSILON,
    )


def toy_maps(n_classes=3, label=1):
    coasts = [coast(seed) for seed in range(n_classes)]
    sets = {
        kind: {k: points(k + shift) for k in range(n_classes)}
        for kind, shift in (("sequential", 0), ("joint", 30))
    }
    return pd.DataFrame(maps("toy", coasts, "abc"[:n_classes], sets, label, 0))
