"""Files that a run made, spoilt afterwards, and read by the next job."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from lighthouse.datasets.latents import LATENTS, MEANS, Latents
from lighthouse.metrics.sets import class_set
from lighthouse.runtime.contents import file_digest
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import barred
from lighthouse.runtime.files import read_about, read_arrays, read_json, write_arrays, write_json
from lighthouse.tables import read_rows, write_rows
from wrong.spoiling import spoil


def told(entry: Mapping, folder: Path) -> str:
    """What the reader ``of`` a spoilt file says, or why nothing can be written to a place."""
    path = folder / entry.get("file", "results")
    make, read = READERS[entry["of"]]
    make(path)
    spoil(folder, entry["spoil"])
    if entry["of"] == "a place":
        return barred(path)
    with pytest.raises(DataError) as error:
        read(path)
    return str(error.value)


def _latents(path: Path) -> None:
    path.mkdir()
    arrays = {"labels": np.zeros(4, np.int64), "class_means": np.zeros((1, 2))}
    write_arrays(path / MEANS, arrays, {"classes": ["a"]})
    np.save(path / LATENTS, np.zeros((4, 1, 2, 2, 2), np.float32))


def _table(path: Path) -> None:
    write_rows(path, [{"dataset": "digits", "accuracy": 0.25}, {"dataset": "x", "accuracy": 0.5}])


def _record(path: Path) -> None:
    write_json(path, {"weights": {}, "made": "x"})


def _arrays(path: Path) -> None:
    write_arrays(path, {"seed~0": np.zeros((1, 2, 3))}, {"classes": ["a"]})


#: By what is read: how a right one is made, and its reader.
READERS: dict[str, tuple[Callable, Callable]] = {
    "a place": (lambda path: None, barred),
    "a record": (_record, read_json),
    "the weights of a record": (_record, lambda path: read_json(path)["weights"]),
    "what a digest is made of": (_record, file_digest),
    "tensors": (_arrays, read_arrays),
    "what tensors say of themselves": (_arrays, read_about),
    "tensors, for their digest": (_arrays, file_digest),
    "a set": (_arrays, lambda path: class_set(path, 0, 0, 2)),
    "a set of another seed": (_arrays, lambda path: class_set(path, 7, 0, 2)),
    "latents": (_latents, Latents),
    "a table": (_table, read_rows),
}
