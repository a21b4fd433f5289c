"""The soft labels that a finished set comes with: one answer an image, in ``labels.npy``.

The file lies beside the class folders. Row r is of the r-th image, folders and the files in them
in the order of their names, as torchvision's ``ImageFolder`` lists them. Column k is of the class
with the number k (``numbering``). Values are class probabilities or logits, which the config
says. Only numpy's own format is read, and without pickles: others' are never unpickled. Imports
no torch: configs are checked with it.
"""

from pathlib import Path

import numpy as np

from lighthouse.datasets.numbering import Numbering
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import in_words

FILE = "labels.npy"
PROBABILITIES, LOGITS = "probabilities", "logits"
#: By how much a row of probabilities may miss 1: half precision, summed over 1000 classes.
ROUNDING = 0.02


def labels_problem(folder: Path, images: int, numbers: Numbering) -> str | None:
    """What keeps a set's label file from being read, by its head alone; None if nothing.

    images: all that lie in the set's class folders.
    """
    path = folder / FILE
    if not path.is_file():
        return (
            f"{path}: no such file; allowed: an array of {images} images × {numbers.total} "
            "classes, or an entry without `labels`"
        )
    try:
        found = _opened(path)
    except DataError as error:
        return str(error)
    wanted = (images, numbers.total)
    if found.shape != wanted or not np.issubdtype(found.dtype, np.floating):
        return (
            f"{path}: holds {found.dtype} of the shape {found.shape}; allowed: floats of the shape "
            f"{wanted}, the images in class folders × the classes in {numbers.words}"
        )
    return None


def read_labels(folder: Path, kind: str, numbers: Numbering, rows: np.ndarray) -> np.ndarray:
    """The labels of some images as logits, (*rows.shape, n_classes) float32.

    kind: ``probabilities`` or ``logits``. rows: rows of the file, of a set without a
    ``labels_problem``. Classes are the dataset's, in its order; columns of others are left out,
    and what is left is a distribution again, by softmax. Of probabilities these are logarithms,
    -inf of 0, which logits may have too. Raises ``DataError`` at values that are no such labels.
    """
    path = folder / FILE
    values = np.asarray(_opened(path)[rows.ravel()], np.float32)
    if kind == PROBABILITIES:
        off = np.abs(values.sum(1) - 1) > ROUNDING
        wrong = ~np.isfinite(values).all(1) | (values < 0).any(1) | off
        _refuse(path, rows, wrong, f"no {kind}: allowed are values from 0 to 1 that sum up to 1")
        values = values[:, list(numbers.numbers)]
        none = ~(values > 0).any(1)
        _refuse(path, rows, none, "0 for every class of the dataset")
        with np.errstate(divide="ignore"):
            values = np.log(values)
    else:
        wrong = (np.isnan(values) | np.isposinf(values)).any(1)
        _refuse(path, rows, wrong, f"no {kind}: allowed are finite values, and -inf")
        values = values[:, list(numbers.numbers)]
        _refuse(path, rows, np.isneginf(values).all(1), "-inf for every class of the dataset")
    return values.reshape(*rows.shape, -1)


def agreement(labels: np.ndarray) -> float:
    """Share of images of which the likeliest class is that of their folder, a fraction.

    labels: (C, ipc, C). Near 1/C, columns are probably in another order than the config says.
    """
    return float((labels.argmax(-1) == np.arange(len(labels))[:, None]).mean())


def _opened(path: Path) -> np.ndarray:
    """The array of a file, of which nothing is read yet; archives and pickles are none."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except MemoryError:
        raise
    except Exception as error:  # a head can be wrong in ways that raise errors of many kinds
        told = in_words(error, path) if isinstance(error, OSError) else None
        wrong = f"{path}: is no whole array of numbers in numpy's format"
        raise DataError(told or wrong) from None


def _refuse(path: Path, rows: np.ndarray, wrong: np.ndarray, what: str) -> None:
    if wrong.any():
        raise DataError(f"{path}: row {rows.ravel()[wrong.argmax()]} (the first is 0) is {what}")
