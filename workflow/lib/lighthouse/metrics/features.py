"""Deep features of images, from a named extractor; and whether it recognises their class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from lighthouse.datasets.real import RealImages
from lighthouse.metrics.sets import class_sets
from lighthouse.parts.extractors import EXTRACTORS
from lighthouse.runtime.faults import reading
from lighthouse.runtime.files import read_about, read_tensors, write_tensors
from lighthouse.runtime.named import load
from lighthouse.runtime.precision import full_float32
from lighthouse.runtime.provenance import provenance


class Seen(NamedTuple):
    """What a network makes of n images, in one pass.

    features: (n, d) float32. logits: of the classes that it tells apart, (n, K); None of a network
    without a head.
    """

    features: Tensor
    logits: Tensor | None


class Extractor:
    """Images (n, 3, H, W) uint8 to features (n, d) float32, a bounded batch at a time.

    network: a module from images to features, whose ``batch`` is how many fit.
    """

    def __init__(self, network: nn.Module, name: str, device: object = "cpu"):
        full_float32()
        self.network, self.name, self.device = network.to(device).eval(), name, device

    @torch.no_grad()
    def seen(self, images: Tensor) -> Seen:
        """Features and logits, on the CPU.

        Raises ``FloatingPointError`` with the image whose features are not finite.
        """
        parts = images.split(self.network.batch)
        features, logits = zip(*(self.network(part.to(self.device)) for part in parts), strict=True)
        whole = torch.cat([part.cpu() for part in features])
        finite = whole.flatten(1).isfinite().all(1).tolist()
        if not all(finite):
            raise FloatingPointError(
                f"extractor {self.name}: features of image {finite.index(False)} of {len(images)} "
                "are not finite"
            )
        if logits[0] is None:
            return Seen(whole, None)
        return Seen(whole, torch.cat([part.cpu() for part in logits]))

    def __call__(self, images: Tensor) -> Tensor:
        """Features alone."""
        return self.seen(images).features

    def array(self, images: np.ndarray) -> np.ndarray:
        """Features of images (n, 3, H, W) uint8 as (n, d) float32."""
        return self(torch.from_numpy(images)).numpy()


class Network(Protocol):
    """What a kind of extractor names: a module from images to ``Seen``.

    ``make(options, real, weights, device)`` returns the tensors of its file and their record;
    ``Network(tensors, record)`` has them. ``batch``: how many images fit. One that is declared
    with ``has_layers`` has ``layers``, its convolutional layers in order, and ``normalised``, which
    makes what these take of images, floats in 0…1 (``metrics.perceptual``).
    """

    batch: int

    def __init__(self, state: Mapping[str, Tensor], about: Mapping): ...

    @classmethod
    def make(
        cls, options: Mapping, real: RealImages, weights: Path | None, device: object
    ) -> tuple[dict, dict]:
        """Train it on real images, or read its ``weights``."""

    def columns(self, classes: Sequence[str]) -> list[int] | None:
        """Which logit is that of each of a dataset's classes; None where it does not know them."""


def make_extractor(
    options: Mapping, real: RealImages, weights: Path | None, path: Path, device: object
) -> None:
    """Make a dataset's extractor and write all that ``load_extractor`` needs to ``path``.

    options: the dataset's ``extractor``. real: what kind ``trained`` trains on; weights:
    the file of the others.
    """
    full_float32()
    state, record = _network(options["kind"]).make(options, real, weights, device)
    named = {"kind": options["kind"], "name": options["name"]}
    write_tensors(path, state, {**named, **record, **provenance(**options)})


def load_extractor(path: Path, device: object = "cpu") -> Extractor:
    """Load what ``make_extractor`` wrote."""
    about = read_about(path)
    with reading(path):
        network = _network(about["kind"])(read_tensors(path), about)
    return Extractor(network, about["name"], device)


def _network(kind: str) -> type[Network]:
    return load(EXTRACTORS[kind].network)


def set_seen(
    extractor: Extractor, path: str | Path, seed: int, ipc: int, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Features of a set of a file of samples, (C·ipc, d) float32, and which images it recognises.

    Class by class. The second, (C, ipc) bool or NaN, is as ``recognised`` has it. classes: the
    dataset's, by name, in the order of labels.
    """
    columns = extractor.network.columns(classes)
    features, known = [], []
    for label, images in enumerate(class_sets(path, seed, ipc)):
        seen = extractor.seen(torch.from_numpy(images))
        features.append(seen.features.numpy())
        known.append(recognised(seen.logits, columns, label))
    return np.concatenate(features), np.stack(known)


def recognised(logits: Tensor | None, columns: Sequence[int] | None, label: int) -> np.ndarray:
    """Which images of a class a network puts into it, of all classes of the dataset: (n,) bool.

    logits: (n, K); columns: which of them are the dataset's classes', in the order of labels. One
    NaN that stands for all images where the network knows no such classes.
    """
    if logits is None or columns is None:
        return np.array([np.nan])
    return (logits[:, list(columns)].argmax(1) == label).numpy()
