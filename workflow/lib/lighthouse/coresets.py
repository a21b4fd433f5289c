"""Coresets: which real images stand for a class."""

from collections.abc import Callable

import numpy as np
import torch

from lighthouse.runtime.rng import generator


def random(labels: np.ndarray, classes: list[str], ipc: int, seed: int, dataset: str) -> np.ndarray:
    """Positions of ``ipc`` images of each class drawn without replacement, (C, ipc).

    The first n of a larger IPC are those of IPC n. Raises ``ValueError`` if a class
    has too few images.
    """
    chosen = []
    for label, name in enumerate(classes):
        members = np.flatnonzero(labels == label)
        if len(members) < ipc:
            raise ValueError(f"class {name!r} has {len(members)} images, fewer than IPC {ipc}")
        order = torch.randperm(len(members), generator=generator("coreset", seed, dataset, name))
        chosen.append(members[order.numpy()[:ipc]])
    return np.stack(chosen)


CORESETS: dict[str, Callable[..., np.ndarray]] = {"random": random}
