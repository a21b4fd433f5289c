"""RDED: images put together of four pieces of real ones (Sun, Shi, Yu and Lin, CVPR 2024).

After the public code (LINs-lab/RDED, ``synthesize``), with a factor of 2. Of each class so many
images are drawn, and of each of these so many pieces, random squares scaled to half the side. A
piece counts by the cross-entropy of its class under the dataset's classifier, which sees it in the
middle of an image of its mean colour. Of an image the best piece is kept; of the class the best
4·N, one an image, make N mosaics.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.rng import generator
from lighthouse.students.classifier import Classifier

#: Pieces a side of a mosaic, and in one.
FACTOR = 2
PIECES = FACTOR**2
#: Least and largest share of an image's area in a piece, as torchvision's RandomResizedCrop.
SCALE = (0.08, 1.0)


@dataclass(frozen=True)
class Sources:
    """What mosaics are made of: a dataset's part train, and who tells its classes.

    classes: names in label order. labels: of all images of the part, (n,) int64. read: images at
    some positions of it, (k, 3, S, S) uint8, S even. options: ``images`` of a class that are drawn
    and ``crops`` of each.
    """

    dataset: str
    classes: Sequence[str]
    labels: np.ndarray
    read: Callable[[np.ndarray], np.ndarray]
    classifier: Classifier
    options: Mapping[str, int]


class Composed(NamedTuple):
    """Sets of S seeds.

    images: (S, C, ipc, 3, H, W) uint8. sources: positions of the four images behind each, row by
    row from the top left, (S, C, ipc, 4) int64. scored: pieces that the classifier was asked about.
    """

    images: np.ndarray
    sources: np.ndarray
    scored: int


class Box(NamedTuple):
    """A square of an image, in pixels."""

    top: int
    left: int
    side: int


def rded(sources: Sources, ipc: int, seeds: Sequence[int]) -> Composed:
    """Mosaics of each class under each seed.

    A class's follow from the dataset, its name, its images and the seed alone. Raises ``DataError``
    if a class has fewer than 4·ipc images, or fewer than that are drawn.
    """
    made = [
        [_of_class(sources, label, ipc, seed) for label in range(len(sources.classes))]
        for seed in seeds
    ]
    return Composed(
        np.array([[one.images for one in of_seed] for of_seed in made]),
        np.array([[one.sources for one in of_seed] for of_seed in made]),
        sum(one.scored for of_seed in made for one in of_seed),
    )


def _of_class(sources: Sources, label: int, ipc: int, seed: int) -> Composed:
    """The mosaics of one class, without the axes of seeds and classes."""
    members = np.flatnonzero(sources.labels == label)
    name, wanted, drawn = sources.classes[label], PIECES * ipc, sources.options["images"]
    if min(len(members), drawn) < wanted:
        raise DataError(
            f"{sources.dataset}: class {name!r} has {len(members)} images, of which {drawn} at "
            f"most are drawn (`coresets.rded.images`), and IPC {ipc} takes pieces of {wanted}: "
            "add images, draw more, or take the method or the IPC out of run"
        )
    names = "rded", seed, sources.dataset, name
    order = torch.randperm(len(members), generator=generator(*names))[:drawn].numpy()
    images = torch.from_numpy(sources.read(members[order])).float()
    crops, size = sources.options["crops"], images.shape[-1]
    pieces = torch.stack(
        [
            torch.stack([piece(image, box) for box in boxes(generator(*names, n), crops, size)])
            for n, image in zip(order, images, strict=True)
        ]
    )
    rows, kept = realistic(sources.classifier, pieces, label, wanted)
    behind = members[order[rows]].reshape(PIECES, ipc).T
    return Composed(mosaics(kept).numpy(), behind, len(order) * crops)


def boxes(rng: torch.Generator, count: int, size: int) -> list[Box]:
    """Random squares of an image of ``size`` px: area uniform in ``SCALE``, then place uniform."""
    found = []
    for _ in range(count):
        share = SCALE[0] + torch.rand((), generator=rng).item() * (SCALE[1] - SCALE[0])
        side = round(size * share**0.5)
        top, left = torch.randint(size - side + 1, (2,), generator=rng).tolist()
        found.append(Box(top, left, side))
    return found


def piece(image: Tensor, box: Box) -> Tensor:
    """A square of an image (3, S, S) float, scaled to (3, S/2, S/2): bilinear, antialiased."""
    cut = image[:, box.top : box.top + box.side, box.left : box.left + box.side]
    size = image.shape[-1] // FACTOR
    return F.interpolate(cut[None], size, mode="bilinear", antialias=True)[0]


def realistic(
    classifier: Classifier, pieces: Tensor, label: int, count: int
) -> tuple[np.ndarray, Tensor]:
    """The best piece of each of some images, and of these the best ``count``, the best first.

    pieces: of n images of one class, (n, crops, 3, S/2, S/2) float in 0…255. Returns the images'
    rows, (count,), and the pieces, (count, 3, S/2, S/2). Of equal ones the first comes first.
    """
    n, crops = pieces.shape[:2]
    seen = framed(classifier.normalised(pieces.flatten(0, 1)))
    losses = -classifier.log_probabilities(seen)[:, label].view(n, crops)
    least, which = losses.min(1)
    rows = least.argsort(stable=True)[:count]
    return rows.numpy(), pieces[rows, which[rows]]


def framed(pieces: Tensor) -> Tensor:
    """Normalised pieces (n, 3, S/2, S/2) in the middle of images (n, 3, S, S) of 0, the mean."""
    size = pieces.shape[-1]
    before = (FACTOR - 1) * size // 2
    after = (FACTOR - 1) * size - before
    return F.pad(pieces, (before, after, before, after))


def mosaics(pieces: Tensor) -> Tensor:
    """Pieces (4·N, 3, S/2, S/2), the best first, as N images (N, 3, S, S) uint8.

    The best N stand at the top left, one an image, the next N at the top right, then at the bottom
    left and right. Colours are rounded (ours: the source cuts their fractions off).
    """
    quadrants = pieces.round().clamp(0, 255).byte().chunk(PIECES)
    rows = [
        torch.cat(quadrants[first : first + FACTOR], dim=-1) for first in range(0, PIECES, FACTOR)
    ]
    return torch.cat(rows, dim=-2)
