"""Files by the names of images, each read as a dataset's are."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lighthouse.datasets.index import read_image
from lighthouse.runtime.errors import DataError
from pictures import noise
from wrong.spoiling import spoil


def told(entry: Mapping, folder: Path) -> str:
    """What is said of ``file``, an image that is spoilt, or becomes one that the deed makes."""
    path = noise(folder / entry.get("file", "a.png"), side=16)
    spoil(folder, entry["spoil"])
    with pytest.raises(DataError) as error:
        read_image(path, 8)
    return str(error.value)
