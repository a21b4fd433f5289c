"""Feature extractors with pretrained weights: torch-fidelity's Inception, SqueezeNet.

torch-fidelity and torchvision take seconds to import: only building a network does so.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten

import torch
from torch import Tensor, nn

from lighthouse.datasets.labels import pretrained_labels
from lighthouse.datasets.real import RealImages
from lighthouse.metrics.features import Seen
from lighthouse.runtime.contents import sum_of
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import YOURS
from lighthouse.runtime.files import read_pickle, read_tensors
from lighthouse.runtime.finite import check_read


class Pretrained(nn.Module):
    """A network whose features are those of a file of weights."""

    @classmethod
    def make(
        cls, options: Mapping, real: RealImages, weights: Path, device: object
    ) -> tuple[dict, dict]:
        """``read_weights``: nothing is trained."""
        return read_weights(weights, cls)


class Inception(Pretrained):
    """torch-fidelity's ``inception-v3-compat``: the 2048 features of the standard FID.

    Images (n, 3, H, W) uint8, resized to 299 px by torch-fidelity as TensorFlow 1 did.
    """

    batch = 64  # torch-fidelity's own

    def __init__(self, state: Mapping[str, Tensor], about: Mapping | None = None):
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        super().__init__()
        # Its constructor unpickles whatever file it is given: what it gets is written here.
        file = io.BytesIO()
        torch.save(dict(state), file)
        file.seek(0)
        self.network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=file
        )

    def columns(self, classes: Sequence[str]) -> None:
        """None: its 1008 classes are in an order of their own, which is not known here."""

    def forward(self, images: Tensor) -> Seen:
        """Features (n, 2048)."""
        return Seen(self.network(images)[0], None)


class SqueezeNet(Pretrained):
    """torchvision's ``squeezenet1_0``: its last maps, averaged to 512 features (ours), and its
    logits of ImageNet's 1000 classes.

    Images (n, 3, H, W) uint8, scaled to 224 px whole (ours: torchvision cuts 224 of
    256 px) and normalised by ImageNet's mean and standard deviation.
    """

    batch = 64
    SIDE = 224
    MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def __init__(self, state: Mapping[str, Tensor], about: Mapping | None = None):
        from torchvision.models import squeezenet1_0

        super().__init__()
        whole = squeezenet1_0()
        whole.load_state_dict(state)
        self.network, self.classifier = whole.features, whole.classifier
        self.register_buffer("mean", torch.tensor(self.MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(self.STD)[:, None, None])

    @property
    def layers(self) -> nn.Sequential:
        """The convolutional layers in order."""
        return self.network

    def normalised(self, images: Tensor) -> Tensor:
        """What the layers take of images in 0…1."""
        return (images - self.mean) / self.std

    def columns(self, classes: Sequence[str]) -> list[int] | None:
        """The labels of classes that are ImageNet's, by wnid; None of others."""
        try:
            return pretrained_labels(classes)
        except DataError:
            return None

    def forward(self, images: Tensor) -> Seen:
        """Features (n, 512), and logits (n, 1000)."""
        images = nn.functional.interpolate(
            images.float() / 255, (self.SIDE, self.SIDE), mode="bilinear", antialias=True
        )
        maps = self.network(self.normalised(images))
        return Seen(maps.mean((2, 3)), self.classifier(maps).flatten(1))


def read_weights(path: Path, build: Callable[[Mapping], nn.Module]) -> tuple[dict, dict]:
    """Read weights that ``build`` takes; return them and the record of their file.

    path: safetensors, or a PyTorch file, of which nothing but tensors is unpickled.
    Raises ``DataError`` if the weights are not those of the network, or not finite.
    """
    read = read_tensors if path.suffix == ".safetensors" else read_pickle
    state = read(path, YOURS)
    try:
        build(state)
    except Exception as error:  # of other tensors, and of what are none
        raise DataError(
            f"datasets.<name>.extractor.weights: {path} does not hold the weights of "
            f"{build.__name__}: {shorten(str(error), 200)}"
        ) from None
    check_read(path, state)
    return state, {"weights": {"file": path.name, "sha256": sum_of(path)}}
