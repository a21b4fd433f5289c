"""What a selection chooses of, and what is kept of it. Importing this needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from lighthouse.runtime.files import read_about, read_arrays
from lighthouse.runtime.named import load


@dataclass(frozen=True)
class Pool:
    """The images of all C classes of a dataset that were sampled under one seed.

    Of each class M = F·N: F sets of N images, set g at g·N to (g+1)·N. A selection that is
    declared ``by_features`` gets ``features``, (C, M, d), and ``real``, of each class those of its
    real images, (n, d); one that ``needs_classifier`` gets ``logits``, (C, M, C).

    dataset, classes: names, for messages. ipc: N.
    """

    dataset: str
    classes: Sequence[str]
    ipc: int
    features: np.ndarray | None = None
    real: Sequence[np.ndarray] | None = None
    logits: np.ndarray | None = None


Images = TypeVar("Images")
#: A pool and the options to the positions that are kept of each class, (C, N) int64, each once.
Selection = Callable[[Pool, Mapping], np.ndarray]
#: Images (n, 3, H, W) uint8, a tensor, to what a network sees in them, (n, d) float32.
Look = Callable[[Images], np.ndarray]


def seen(look: Look, images: Images) -> np.ndarray:
    """What is seen in images (S, C, M, 3, H, W), a tensor: (S, C, M, d).

    In those of one class under one seed at a time: what is seen of a class then does not depend
    on which other classes are in the job.
    """
    found = np.stack([look(pool) for pool in images.flatten(0, 1)])
    return found.reshape(*images.shape[:3], -1)


def real_features(path: str | Path) -> tuple[list[str], list[np.ndarray]]:
    """Classes, and the features of each one's real images, of a file of rule `features`."""
    held = read_arrays(path)
    classes = read_about(path)["classes"]
    return classes, [held["features"][held["labels"] == k] for k in range(len(classes))]


def kept(
    cell: Mapping,
    dataset: str,
    classes: Sequence[str],
    seen_in: Mapping[str, np.ndarray],
    features: Sequence[str | Path],
) -> list[np.ndarray]:
    """The positions that a cell keeps under each of S seeds, (C, N) int64 each.

    cell: with its ``ipc`` and its ``selection`` (``Study.selection``). seen_in: what is chosen by,
    ``features``, ``logits`` or both, of all classes, (S, C, M, d). features: the file of the real
    images', or none. Raises ``ValueError`` where a selection gives anything else than N images of
    each class, each once, or the real images are of other classes.
    """
    selection, ipc = cell["selection"], cell["ipc"]
    choose, real = load(selection["choose"]), None
    if features:
        names, real = real_features(*features)
        if names != list(classes):
            raise ValueError(f"{features[0]}: its classes are not the dataset's")
    found = []
    for each in zip(*seen_in.values(), strict=True):
        pool = Pool(dataset, classes, ipc, real=real, **dict(zip(seen_in, each, strict=True)))
        found.append(choose(pool, selection["options"]))
        _check(found[-1], len(classes), ipc, selection)
    return found


def _check(positions: np.ndarray, classes: int, ipc: int, selection: Mapping) -> None:
    size = selection["times"] * ipc
    known = positions.shape == (classes, ipc) and np.isin(positions, np.arange(size)).all()
    if not known or any(len(set(row)) < ipc for row in positions.tolist()):
        raise ValueError(
            f"selection {selection['name']} does not give {ipc} of {size} images of each of "
            f"{classes} classes, each once"
        )


def taken(pool: Images, positions: np.ndarray) -> Images:
    """Those images of a pool (C, M, …) at positions (C, N): (C, N, …). Of arrays, or tensors."""
    return pool[np.arange(len(pool))[:, None], positions]
