"""Finished sets from elsewhere: a small right one, at which an entry's ``spoil`` does wrong."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from lighthouse.datasets.external import Way, problems, read_own_labels
from lighthouse.runtime.errors import DataError
from pictures import noise
from wrong.spoiling import spoil

CLASSES = ["cat", "dog"]


def told(entry: Mapping, folder: Path) -> str:
    """What is said before any job, or, of one that passes, by the job that reads the labels.

    ``classes``: of the dataset. ``way``: keys of the set's entry; ``order`` as a file is below the
    folder. ``rows``: of labels.npy.
    """
    root, way, classes = folder / "set", dict(entry.get("way", {})), entry.get("classes", CLASSES)
    for seed, name in enumerate(CLASSES):
        for number in range(2):
            noise(root / name / f"{number}.png", side=4, seed=2 * seed + number)
    if "rows" in entry:
        np.save(root / "labels.npy", np.array(entry["rows"], entry.get("kind", np.float32)))
    spoil(folder, entry["spoil"])
    if way.get("order", "").endswith(".txt"):
        way["order"] = str(folder / way["order"])
    taken = Way(**way)
    if found := problems(root, entry.get("ipc", 2), classes, [0], taken):
        return "\n".join(found)
    with pytest.raises(DataError) as error:
        read_own_labels(root, 2, classes, taken)
    return str(error.value)
