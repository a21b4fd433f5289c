"""The feature extractor that is trained on the dataset itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from lighthouse.datasets.real import RealImages
from lighthouse.metrics.features import Seen
from lighthouse.runtime.job import log
from lighthouse.students.augment import HALF, normalise
from lighthouse.students.limits import check_size
from lighthouse.students.networks import ConvNet
from lighthouse.students.trainer import Images, train_student

#: The extractor is a wide student. Its features are the last block's maps, averaged
#: to GRID × GRID: of a classifier's penultimate layers they keep more directions than
#: classes, which a pooled vector does not.
DEPTH, WIDTH, GRID = 3, 32, 2
SEED = 0
TRAINING = {
    "optimizer": "adamw",
    "learning_rate": 1e-2,
    "weight_decay": 0.01,
    "batch_size": [[1, 50]],
    "schedule": {"kind": "steps", "factor": 0.2, "at": [0.6667, 0.8333]},
    "mean": HALF,
    "std": HALF,
    "augment": {
        "crop_scale": [0.6, 1.0],
        "flip": False,
        "jitter": 0,
        "lighting": 0,
        "cutmix": False,
    },
    "labels": "hard",
    "precision": "fp32",
    "evaluations": 1,
}


class Trained(nn.Module):
    """Images (n, 3, image_size, image_size) uint8 to features (n, WIDTH·GRID²) and logits."""

    def __init__(self, state: Mapping[str, Tensor], about: Mapping):
        super().__init__()
        size = about["image_size"]
        self.network = ConvNet(DEPTH, WIDTH, size, about["n_classes"])
        self.network.load_state_dict(state)
        #: Images at a time: the first block's maps of them take 64 MiB.
        self.batch = max(1, 2**19 // size**2)

    @classmethod
    def make(
        cls, options: Mapping, real: RealImages, weights: Path | None, device: object
    ) -> tuple[dict, dict]:
        """``train``: there are no ``weights``."""
        return train(options, real, device)

    @property
    def layers(self) -> nn.Sequential:
        """The convolutional layers in order."""
        return self.network.features

    def normalised(self, images: Tensor) -> Tensor:
        """What the layers take of images in 0…1."""
        return normalise(255 * images)

    def columns(self, classes: Sequence[str]) -> list[int]:
        """Its logits are the dataset's classes, by label."""
        return list(range(len(classes)))

    def forward(self, images: Tensor) -> Seen:
        """Features, and the logits of the classifier that it is."""
        maps = self.network.features(normalise(images))
        pooled = nn.functional.adaptive_avg_pool2d(maps, GRID).flatten(1)
        return Seen(pooled, self.network.head(maps.flatten(1)))


def train(options: Mapping, real: RealImages, device: object) -> tuple[dict, dict]:
    """Train the extractor on real images; return its weights and their record.

    Its accuracy is that on the validation part or, where that is empty, on the test part;
    nothing is chosen by it. Raises ``DataError`` at more images than memory is meant for.
    """
    n = len(real.rows("train"))
    check_size(
        n,
        "an extractor of kind 'trained'",
        "lower metrics.real_images_per_class, or set datasets.<name>.extractor.kind to "
        "inception or squeezenet",
    )
    part = "val" if len(real.rows("val")) else "test"
    images, judge = (
        Images(torch.from_numpy(real.images(p)), torch.from_numpy(real.labels(p))).to(device)
        for p in ("train", part)
    )
    network_options = {"network": "convnet", "depth": DEPTH, "width": WIDTH}
    protocol = {**TRAINING, "epochs": [[1, options["epochs"]]]}
    network, record = train_student(images, judge, network_options, protocol, ipc=1, seed=SEED)
    score = record["curve"][-1][1]
    log.info("extractor %s: %.1f%% of the %s part right", options["name"], 100 * score, part)
    return network.state_dict(), {
        "image_size": real.size,
        "n_classes": len(real.index.classes),
        "accuracy": score,
        "accuracy_part": part,
        "training": {**protocol, "seed": SEED, "depth": DEPTH, "width": WIDTH, "n_images": n},
    }
