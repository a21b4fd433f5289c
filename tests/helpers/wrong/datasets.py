"""Folders of images: a small right one, at which an entry's ``spoil`` does something wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lighthouse.datasets.sources import SOURCES
from lighthouse.runtime.errors import DataError
from pictures import noise
from wrong.spoiling import spoil

FILES = [
    (part, name, number)
    for part, count in (("train", 2), ("val", 1))
    for name in ("cat", "dog")
    for number in range(count)
]


def told(entry: Mapping, folder: Path) -> str:
    """What is said before any job of a spoilt folder, or, of one that passes, by the job.

    ``options``: of the dataset, beside its root. ``least``: training images a class needs.
    """
    root = folder / "pets"
    names = [f"{part}/{name}/{number}.png" for part, name, number in FILES]
    for seed, file in enumerate(names):
        noise(root / file, side=4, seed=seed)
    spoil(root, entry["spoil"])
    source = SOURCES["folder"]
    options = {"root": str(root), **entry.get("options", {})}
    if found := source.missing(options, entry.get("least", 1)):
        return "\n".join(found)
    (folder / "made").mkdir()
    with pytest.raises(DataError) as error:
        source.build(options, folder / "made", 1)
    return str(error.value)
