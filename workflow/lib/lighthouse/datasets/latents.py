"""The latents of a dataset's images on disk, as ``diffusion.encoding`` writes them.

Reading imports neither torch nor diffusers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lighthouse.runtime.faults import reading, remove
from lighthouse.runtime.files import read_about, read_arrays

#: The files of a folder of latents.
LATENTS, MEANS, HELD_OUT = "latents.npy", "means.safetensors", "held-out.safetensors"


class Means(NamedTuple):
    """The small part of a folder of latents.

    labels: (n,) int64. class_means: (C, c, h, w) float32, of images as they are, not of
    mirrored ones. classes: C names in label order.
    """

    labels: np.ndarray
    class_means: np.ndarray
    classes: list[str]


def read_means(folder: str | Path) -> Means:
    """Labels and class means alone."""
    path, advice = Path(folder, MEANS), remove(folder)
    arrays, classes = read_arrays(path, advice), read_about(path, advice)["classes"]
    return Means(arrays["labels"], arrays["class_means"], classes)


def read_held_out(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Latents of some images of the part val, (n, c, h, w) float32, and their labels, (n,).

    None of a dataset that has no such part: n is 0.
    """
    arrays = read_arrays(Path(folder, HELD_OUT), remove(folder))
    return arrays["latents"], arrays["labels"]


def of_classes(
    latents: np.ndarray, labels: np.ndarray, chosen: Sequence[int] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Latents and labels of some classes, in their order; all as they are where None is chosen."""
    if chosen is None:
        return latents, labels
    rows = np.flatnonzero(np.isin(labels, chosen))
    return latents[rows], labels[rows]


class Latents:
    """A folder of latents, as ``diffusion.encoding.encode_part`` writes it.

    latents: (n, views, c, h, w) float32, memory-mapped: rows are read from disk as they
    are indexed; the second view, if any, is of the mirrored image. labels, class_means,
    classes: see ``Means``.
    """

    def __init__(self, folder: str | Path):
        self.labels, self.class_means, self.classes = read_means(folder)
        path = Path(folder, LATENTS)
        with reading(path, remove(folder)):
            self.latents = np.load(path, mmap_mode="r")
            if len(self.latents) != len(self.labels):
                raise ValueError(f"it holds {len(self.latents)} latents of {len(self.labels)}")

    def of_class(self, label: int) -> np.ndarray:
        """Latents of a class's images as they are, (n, c·h·w)."""
        rows = np.flatnonzero(self.labels == label)
        return self.latents[rows, 0].reshape(len(rows), -1)
