"""Finished sets, read class by class: a large study's set does not fit into memory twice."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors import safe_open


def class_sets(path: str | Path, seed: int, ipc: int) -> Iterator[np.ndarray]:
    """The first ``ipc`` images or latents of one class after the other, (ipc, …).

    path: a file of samples with tensors ``seed~<seed>`` (C, ≥ipc, …).
    """
    with safe_open(path, framework="np") as file:
        rows = file.get_slice(f"seed~{seed}")
        for label in range(rows.get_shape()[0]):
            yield rows[label, :ipc]
