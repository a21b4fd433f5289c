"""IGD's surrogate: a network trained on the real images, kept where its gradients have turned.

Chen et al., ICLR 2025, and their public code (mchen725/DD_IGD): ConvNet-6, 50 epochs of SGD
0.01 with momentum 0.9 and weight decay 5e-4 at a constant rate, batch 64.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from lighthouse.runtime.job import log, progress
from lighthouse.runtime.precision import full_float32
from lighthouse.students.augment import HALF, normalise
from lighthouse.students.checkpoints import Checkpoint, loss_gradient
from lighthouse.students.trainer import Images, Training, accuracy

SEED = 0
#: Colours are normalised to [-1, 1], the range of decoded latents, in training too (ours).
FIXED = {
    "optimizer": "sgd",
    "weight_decay": 5e-4,
    "schedule": {"kind": "steps", "factor": 1.0, "at": []},
    "mean": HALF,
    "std": HALF,
    "labels": "hard",
    "precision": "fp32",
}


def train_surrogate(
    train: Images, chosen: np.ndarray, network: Mapping, options: Mapping
) -> tuple[list[Checkpoint], dict]:
    """Train a surrogate; return its kept checkpoints and their record.

    train: the real training part. chosen: rows of it whose gradients are averaged, by
    class: a draw (ours; the source takes the first of each). ``options``: ``epochs``,
    ``learning_rate``, ``batch_size`` (images), ``augment`` (as a protocol's), ``threshold``.
    The untrained network is kept, and then each epoch whose class gradients have a mean
    cosine below ``threshold`` to those last kept. The source looks at the cosines of a
    finished training and writes four epochs into its code (ImageNette 0, 2, 11, 40,
    ImageWoof 0, 5, 16, 40); here they are kept in the same pass (ours).
    Raises ``FloatingPointError`` at a loss that is not finite.
    """
    full_float32()
    torch.backends.cudnn.deterministic = True
    batch, epochs = min(options["batch_size"], len(train.labels)), options["epochs"]
    protocol = {**FIXED, **{key: options[key] for key in ("learning_rate", "augment")}}
    training = Training(train, network, protocol, batch, epochs, SEED, None)
    examples = [
        train.images[rows]
        for rows in rows_by_class(chosen, train.labels.cpu().numpy(), int(train.labels.max()) + 1)
    ]
    kept: list[Checkpoint] = []
    cosines: list[tuple[int, float]] = []
    for epoch in progress(range(epochs + 1), "surrogate", unit="epoch"):
        if epoch:
            training.run_epoch(epoch)
        gradients = class_gradients(training.network.eval(), examples, batch)
        if kept:
            cosines.append((epoch, mean_cosine(gradients, kept[-1].gradients)))
        if not kept or cosines[-1][1] < options["threshold"]:
            state = {key: t.cpu().clone() for key, t in training.network.state_dict().items()}
            kept.append(Checkpoint(epoch, state, gradients))
    score = accuracy(training.network, train)
    log.info(
        "surrogate: %.1f%% of the training part right; kept epochs %s",
        100 * score,
        ", ".join(str(checkpoint.epoch) for checkpoint in kept),
    )
    return kept, {
        "network": dict(network),
        "image_size": train.size,
        "cosines": cosines,
        "accuracy": {"train": score},
    }


def rows_by_class(chosen: np.ndarray, labels: np.ndarray, n_classes: int) -> list[np.ndarray]:
    """The chosen rows of each class. labels: of all rows, (n,)."""
    return [chosen[labels[chosen] == label] for label in range(n_classes)]


def class_gradients(network: nn.Module, examples: Sequence[Tensor], batch: int) -> Tensor:
    """ḡ_c: the mean loss gradient over each class's examples as they are, (C, P).

    examples: uint8 images of each class, (n_c, 3, S, S), taken ``batch`` at a time.
    """
    found = []
    for label, images in enumerate(examples):
        parts = [
            len(part) * loss_gradient(network, normalise(part), _labels(label, part))
            for part in images.split(batch)
        ]
        found.append(torch.stack(parts).sum(0) / len(images))
    return torch.stack(found)


def _labels(label: int, images: Tensor) -> Tensor:
    return torch.full((len(images),), label, device=images.device)


def mean_cosine(gradients: Tensor, others: Tensor) -> float:
    """Mean over the classes of the cosine of their gradients, each (C, P), as the code has it."""
    return cosine_similarity(gradients, others, dim=1).mean().item()
