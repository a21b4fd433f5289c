"""Extractors of deep features: one entry of ``EXTRACTORS`` declares all that is known of one."""

from collections.abc import Mapping
from dataclasses import dataclass

from lighthouse.parts.option import COUNT, Option
from lighthouse.runtime.weights import Weights


@dataclass(frozen=True)
class Extractor:
    """A kind of extractor.

    name: ``kind`` in the config. network: ``module:class``, a ``metrics.features.Network``.
    options: by key of ``extractor`` in a dataset, each of which it needs. download: its
    pretrained weights; None where it is trained on the dataset. has_layers: whether images can be
    compared layer by layer (``DISTANCE``).
    """

    name: str
    network: str
    options: Mapping[str, Option]
    download: Weights | None = None
    has_layers: bool = False


#: What loads the distance of images in an extractor's layers.
DISTANCE = "lighthouse.metrics.perceptual:load_distance"

LOCAL_WEIGHTS = Option(
    {"type": ["string", "null"], "x-range": "a local file"},
    "A local file of the weights, absolute or relative to the repository; null downloads them "
    "(all but trained).",
)
KEY = "datasets.<name>.extractor.weights"

EXTRACTORS: dict[str, Extractor] = {
    extractor.name: extractor
    for extractor in (
        Extractor(
            "trained",
            "lighthouse.metrics.trained:Trained",
            {"epochs": Option(COUNT, "Passes over the training part (trained).")},
            has_layers=True,
        ),
        # The hashes are part of the files' names; that of Inception in full is what its users
        # publish. Of SqueezeNet's nobody seems to, so that its 8 digits are all that is held to.
        Extractor(
            "inception",
            "lighthouse.metrics.pretrained:Inception",
            {"weights": LOCAL_WEIGHTS},
            Weights(
                "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
                "weights-inception-2015-12-05-6726825d.pth",
                "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
                "Apache-2.0",
                KEY,
            ),
        ),
        Extractor(
            "squeezenet",
            "lighthouse.metrics.pretrained:SqueezeNet",
            {"weights": LOCAL_WEIGHTS},
            Weights(
                "https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth",
                "b66bff10",
                "BSD-3-Clause",
                KEY,
            ),
            has_layers=True,
        ),
    )
}
