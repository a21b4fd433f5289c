"""A dataset's classifier: a network that was made as a teacher is, asked of images as they are."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from lighthouse.runtime.files import read_about
from lighthouse.students.augment import normalise
from lighthouse.students.teacher import load_teacher
from lighthouse.students.trainer import EVALUATED_PIXELS


@dataclass(frozen=True)
class Classifier:
    """A network and the colours that it is asked in.

    network: of images (n, 3, S, S), normalised, S the dataset's size. mean, std: of each colour,
    in 0…1.
    """

    network: nn.Module
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def normalised(self, images: Tensor) -> Tensor:
        """Images (n, 3, H, W) in 0…255, uint8 or float, as the network takes them."""
        return normalise(images, self.mean, self.std)

    @torch.no_grad()
    def logits(self, normalised: Tensor) -> Tensor:
        """Its answers, (n, C) float32 on the CPU, to normalised images (n, 3, S, S).

        They follow in batches of at most ``EVALUATED_PIXELS``, on the network's device.
        """
        device = next(self.network.parameters()).device
        batch = max(1, EVALUATED_PIXELS // normalised.shape[-1] ** 2)
        parts = normalised.split(batch)
        return torch.cat([self.network(part.to(device)).float().cpu() for part in parts])

    def log_probabilities(self, normalised: Tensor) -> Tensor:
        """log p of each class, (n, C) float32 on the CPU, of normalised images (n, 3, S, S)."""
        return self.logits(normalised).log_softmax(1)


def load_classifier(path: str | Path, device: object = "cpu") -> Classifier:
    """What rule ``classifier`` wrote, ready to answer."""
    recipe = read_about(path)["options"]["recipe"]
    return Classifier(load_teacher(path, device), tuple(recipe["mean"]), tuple(recipe["std"]))
