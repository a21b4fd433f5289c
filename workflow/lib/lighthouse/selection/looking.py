"""What networks make of sampled images, for selections to choose by."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lighthouse.metrics.features import load_extractor
from lighthouse.runtime.files import read_about
from lighthouse.selection.pool import Look
from lighthouse.students.augment import normalise
from lighthouse.students.teacher import load_teacher
from lighthouse.students.trainer import Images

#: Images that a classifier answers at once.
BATCH = 100


def features_by(path: str | Path, device: object) -> Look:
    """The features of an extractor's file."""
    extractor = load_extractor(Path(path), device)
    return lambda images: extractor(images).numpy()


def logits_by(path: str | Path, device: object) -> Look:
    """The logits of a classifier's file (``students.teacher.write_teacher``).

    Images come to the size and the colours of its recipe, as those that it was trained on.
    """
    classifier, about = load_teacher(path, device), read_about(path)
    recipe = about["options"]["recipe"]

    @torch.no_grad()
    def look(images: Tensor) -> np.ndarray:
        sized = Images(images, torch.zeros(len(images))).resized(about["image_size"])
        batches = (part.to(device) for part in sized.images.split(BATCH))
        answers = [classifier(normalise(part, recipe["mean"], recipe["std"])) for part in batches]
        return torch.cat([part.cpu() for part in answers]).numpy()

    return look
