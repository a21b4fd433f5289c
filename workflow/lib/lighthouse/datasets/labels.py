"""Labels of ImageNet's classes: which class is which number, said once and checked.

A folder's name is the class's WordNet id ("wnid"); an index is its label in ImageNet-1K,
the rank among the 1000 sorted wnids.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lighthouse.runtime.errors import DataError

LICENCE = "ImageNet's terms of access: non-commercial research and education"
URL = "https://image-net.org/download.php"


class ImageNetClass(NamedTuple):
    """A class of ImageNet-1K."""

    wnid: str
    index: int
    name: str


@dataclass(frozen=True)
class LabelSet:
    """Classes in label order: label k is the k-th.

    sha256: of the wnids in label order, joined by newlines. classes: empty for the
    whole of ImageNet-1K, whose order follows from the names themselves.
    """

    n_classes: int
    sha256: str
    source: str
    url: str
    licence: str
    classes: tuple[ImageNetClass, ...] = ()

    def order(self, found: Iterable[str]) -> list[str]:
        """The wnids in label order; ``found`` are the class folders on disk.

        Raises ``DataError`` where the order follows from what is found and that is not
        the 1000 classes.
        """
        wnids = [entry.wnid for entry in self.classes] or sorted(found)
        if digest(wnids) != self.sha256:
            raise DataError(
                f"{len(wnids)} class folders, which are not the 1000 of ImageNet-1K "
                f"(sha256 of their sorted names {digest(wnids)}, not {self.sha256})"
            )
        return wnids


def digest(wnids: Sequence[str]) -> str:
    """The sha256 of names joined by newlines."""
    return hashlib.sha256("\n".join(wnids).encode()).hexdigest()


LABELS = {
    # The order is that of the sorted wnids; fastai's and torchvision's is the same.
    "imagenette": LabelSet(
        n_classes=10,
        sha256="7fd320a0db9278e1d61bad4b60fa16be117f8d8adcfe4d03fb5c95672bae6033",
        source="https://github.com/fastai/imagenette",
        url=URL,
        licence=LICENCE,
        classes=(
            ImageNetClass("n01440764", 0, "tench"),
            ImageNetClass("n02102040", 217, "English springer"),
            ImageNetClass("n02979186", 482, "cassette player"),
            ImageNetClass("n03000684", 491, "chain saw"),
            ImageNetClass("n03028079", 497, "church"),
            ImageNetClass("n03394916", 566, "French horn"),
            ImageNetClass("n03417042", 569, "garbage truck"),
            ImageNetClass("n03425413", 571, "gas pump"),
            ImageNetClass("n03445777", 574, "golf ball"),
            ImageNetClass("n03888257", 701, "parachute"),
        ),
    ),
    # The order is fastai's list of names, which the field's code keeps; it is not sorted.
    "imagewoof": LabelSet(
        n_classes=10,
        sha256="3cc5c8eb86446961a0d577dda6312ac92d4a00dab1efafde79b4a7c152743f54",
        source="https://github.com/fastai/imagenette",
        url=URL,
        licence=LICENCE,
        classes=(
            ImageNetClass("n02096294", 193, "Australian terrier"),
            ImageNetClass("n02093754", 182, "Border terrier"),
            ImageNetClass("n02111889", 258, "Samoyed"),
            ImageNetClass("n02088364", 162, "beagle"),
            ImageNetClass("n02086240", 155, "Shih-Tzu"),
            ImageNetClass("n02089973", 167, "English foxhound"),
            ImageNetClass("n02087394", 159, "Rhodesian ridgeback"),
            ImageNetClass("n02115641", 273, "dingo"),
            ImageNetClass("n02099601", 207, "golden retriever"),
            ImageNetClass("n02105641", 229, "Old English sheepdog"),
        ),
    ),
    "imagenet-1k": LabelSet(
        n_classes=1000,
        sha256="385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd",
        source="Russakovsky et al. 2015, ILSVRC 2012",
        url=URL,
        licence=LICENCE,
    ),
}

_INDEX = {entry.wnid: entry.index for labels in LABELS.values() for entry in labels.classes}


def pretrained_labels(classes: Sequence[str]) -> list[int]:
    """The ImageNet-1K label of each class of a dataset, in its order.

    classes: wnids of ImageNette and ImageWoof in any mixture, or all 1000. Raises
    ``DataError`` at others, whose label is not known here.
    """
    ranks = {name: rank for rank, name in enumerate(sorted(classes))}
    if digest(list(ranks)) == LABELS["imagenet-1k"].sha256:
        return [ranks[name] for name in classes]
    unknown = [name for name in classes if name not in _INDEX]
    if unknown:
        raise DataError(
            f"no ImageNet label is known of {len(unknown)} of {len(classes)} classes: "
            f"{', '.join(unknown)}; known are the wnids of ImageNette and ImageWoof, and "
            "ImageNet's 1000 together"
        )
    return [_INDEX[name] for name in classes]
