"""A cell, random numbers and images of noise for the tests of metrics."""

import numpy as np

#: What names a cell, but for its IPC.
CELL = {"dataset": "toy", "method": "m", "variant": "table"}


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(n, seed=0):
    return rng(seed).integers(0, 256, (n, 3, 16, 16), np.uint8)
