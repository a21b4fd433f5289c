"""Finished sets, read class by class: a large study's set does not fit into memory twice."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lighthouse.runtime.files import opened


def evenly(n: int, count: int) -> np.ndarray:
    """``count`` of ``n`` positions, or all where they are fewer, evenly spaced."""
    count = min(n, count)
    return np.arange(count) * n // count


def class_sets(path: str | Path, seed: int, ipc: int) -> Iterator[np.ndarray]:
    """The first ``ipc`` images or latents of one class after the other, (ipc, …).

    path: a file of samples with tensors ``seed~<seed>`` (C, ≥ipc, …).
    """
    with opened(path) as file:
        rows = file.get_slice(f"seed~{seed}")
        for label in range(rows.get_shape()[0]):
            yield rows[label, :ipc]


def class_set(path: str | Path, seed: int, label: int, ipc: int) -> np.ndarray:
    """The first ``ipc`` images or latents of one class alone, (ipc, …)."""
    with opened(path) as file:
        return file.get_slice(f"seed~{seed}")[label, :ipc]


def image_digests(path: str | Path, seed: int, ipc: int) -> list[bytes]:
    """A digest of each image of a set, class by class: equal ones are of equal pixels."""
    return [
        hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        for images in class_sets(path, seed, ipc)
        for image in images
    ]


def distinct_sets(path: str | Path, seeds: Sequence[int], ipc: int) -> dict[int, list[bytes]]:
    """The sets of a file that differ, by the first of the seeds under which they stand.

    Two sets of the same images are one, as that of a coreset which is the same under every
    seed. Each with its ``image_digests``.
    """
    sets: dict[tuple, tuple[int, list[bytes]]] = {}
    for seed in seeds:
        images = image_digests(path, seed, ipc)
        sets.setdefault(tuple(sorted(images)), (seed, images))
    return dict(sets.values())
