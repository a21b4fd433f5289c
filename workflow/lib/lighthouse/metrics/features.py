"""Deep features of images, from a named extractor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from lighthouse.datasets.real import RealImages
from lighthouse.metrics.sets import class_sets
from lighthouse.parts.extractors import EXTRACTORS
from lighthouse.runtime.files import read_about, read_tensors, write_tensors
from lighthouse.runtime.named import load
from lighthouse.runtime.precision import full_float32
from lighthouse.runtime.provenance import provenance


class Extractor:
    """Images (n, 3, H, W) uint8 to features (n, d) float32, a bounded batch at a time.

    network: a module from images to features, whose ``batch`` is how many fit.
    """

    def __init__(self, network: nn.Module, name: str, device: object = "cpu"):
        full_float32()
        self.network, self.name, self.device = network.to(device).eval(), name, device

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Features, on the CPU. Raises ``FloatingPointError`` where they are not finite."""
        parts = images.split(self.network.batch)
        features = torch.cat([self.network(part.to(self.device)).cpu() for part in parts])
        if not features.isfinite().all():
            raise FloatingPointError(f"extractor {self.name}: features that are not finite")
        return features

    def array(self, images: np.ndarray) -> np.ndarray:
        """Features of images (n, 3, H, W) uint8 as (n, d) float32."""
        return self(torch.from_numpy(images)).numpy()


class Network(Protocol):
    """What a kind of extractor names: a module from images to features.

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
    network = _network(about["kind"])(read_tensors(path), about)
    return Extractor(network, about["name"], device)


def _network(kind: str) -> type[Network]:
    return load(EXTRACTORS[kind].network)


def set_features(extractor: Extractor, path: str | Path, seed: int, ipc: int) -> np.ndarray:
    """Features of a set of a file of samples, class by class, (C·ipc, d) float32."""
    return np.concatenate([extractor.array(images) for images in class_sets(path, seed, ipc)])
