"""The number of each class in a finished set that was made elsewhere.

Whoever publishes a set counts its classes in some order, and no file of it says in which: the
same 0 is the first class of a list of ten, or ImageNet-1K's tench. So the order is told
(``external.<name>.order``) and never guessed. Imports no torch: configs are checked with it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lighthouse.datasets.labels import LABELS, pretrained_labels
from lighthouse.datasets.walking import shown
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import YOURS, reading

#: Orders that have a word; any other is the path of a file with a class's name in each line.
DATASET, IMAGENET = "dataset", "imagenet"


class Numbering(NamedTuple):
    """The numbers of a dataset's classes, in its own order, and how many are counted in all.

    words: the order, for messages.
    """

    numbers: tuple[int, ...]
    total: int
    words: str


def numbering(order: str, classes: Sequence[str]) -> Numbering:
    """The numbers of ``classes``, a dataset's names, in an order.

    order: ``dataset``, the dataset's own; ``imagenet``, ImageNet-1K's 0 to 999; or the path of a
    text file, whose first line is the name of class 0. Such a file may name more classes than the
    dataset has. Raises ``DataError`` where a class has no number, or two.
    """
    if order == DATASET:
        return Numbering(tuple(range(len(classes))), len(classes), "the dataset's order")
    if order == IMAGENET:
        numbers = tuple(pretrained_labels(classes))
        return Numbering(numbers, LABELS["imagenet-1k"].n_classes, "ImageNet-1K's order")
    names = _names(Path(order))
    absent = [name for name in classes if names.count(name) != 1]
    if absent:
        raise DataError(
            f"{order}: {shown(absent[0])} is in {names.count(absent[0])} of its lines; allowed: "
            "the name of each class in one line, in the order in which the set counts them"
        )
    return Numbering(tuple(map(names.index, classes)), len(names), f"the order of {order}")


def _names(path: Path) -> list[str]:
    """The lines of a file of names, of which blank ones at the end do not count."""
    if not path.exists():
        raise DataError(
            f"{path}: no such file; allowed: {DATASET}, {IMAGENET} or a file with the name of a "
            "class in each line"
        )
    with reading(path, YOURS):
        try:
            text = path.read_text(encoding="utf-8-sig")  # some editors put a mark first
        except UnicodeDecodeError:
            raise DataError(f"{path} cannot be read as a list of classes (not in UTF-8)") from None
    return [line.strip() for line in text.rstrip().split("\n")]
