"""An easy problem, a short protocol and small networks for the tests of students."""

import torch

from lighthouse.students.networks import NETWORKS
from lighthouse.students.trainer import Images

NETWORK = {"network": "convnet", "depth": 2, "width": 8}
OFF = {"crop_scale": None, "flip": False, "jitter": 0, "lighting": 0, "cutmix": False}
PROTOCOL = {
    "optimizer": "adamw",
    "learning_rate": 1e-2,
    "weight_decay": 0.01,
    "batch_size": [[1, 5], [10, 10]],
    "epochs": [[1, 30], [10, 12]],
    "schedule": {"kind": "steps", "factor": 0.2, "at": [0.6667, 0.8333]},
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "augment": {**OFF, "crop_scale": [0.6, 1.0]},
    "labels": "hard",
    "precision": "fp32",
    "evaluations": 4,
}
EVERYTHING = {"crop_scale": [0.5, 1.0], "flip": True, "jitter": 0.4, "lighting": 0.1}


def bars(n, seed, size=16):
    """An easy problem: a bright bar lies across (0), stands (1), or is absent (2)."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    images = torch.randint(0, 100, (n, 3, size, size), generator=rng)
    places = torch.randint(2, size - 2, (n,), generator=rng)
    for image, label, place in zip(images, labels, places, strict=True):
        if label == 0:
            image[:, place] = 255
        elif label == 1:
            image[:, :, place] = 255
    return Images(images.to(torch.uint8), labels)


class Fixed(torch.nn.Module):
    """Logits by an image's mean, whatever the weight; remembers what it saw."""

    def __init__(self, n_classes=3):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, n_classes))
        self.seen = []

    def forward(self, images):
        self.seen.append(images)
        return images.mean((1, 2, 3))[:, None] * self.weight


def build(network=NETWORK, n_classes=3, seed=0):
    """A network for images of 16 px, untrained."""
    torch.manual_seed(seed)
    return NETWORKS[network["network"]](network, 16, n_classes)
