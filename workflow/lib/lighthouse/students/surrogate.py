"""IGD's surrogate: a network trained on the real images, kept where its gradients have turned.

Chen et al., ICLR 2025, and their public code (mchen725/DD_IGD): ConvNet-6, 50 epochs of SGD
0.01 with momentum 0.9 and weight decay 5e-4 at a constant rate, batch 64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.functional import cosine_similarity

from lighthouse.runtime.faults import reading, remove
from lighthouse.runtime.files import opened, read_about, read_tensors, whole, write_tensors
from lighthouse.runtime.job import log, progress
from lighthouse.runtime.keeper import Keeper
from lighthouse.runtime.precision import full_float32
from lighthouse.students.augment import HALF, normalise
from lighthouse.students.networks import NETWORKS
from lighthouse.students.trainer import Images, Training, accuracy

#: The files of a surrogate's folder.
CHECKPOINTS, GRADIENTS = "checkpoints.safetensors", "gradients.safetensors"
#: Classes whose gradients are held at once: sets of several are sampled side by side.
CLASSES_HELD = 16
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


@dataclass(frozen=True)
class Checkpoint:
    """A network at one epoch of its training.

    epoch: 0 is untrained. state: of the network. gradients: ḡ_c of each class, (C, P).
    """

    epoch: int
    state: Mapping[str, Tensor]
    gradients: Tensor


def train_surrogate(
    train: Images,
    chosen: np.ndarray,
    network: Mapping,
    options: Mapping,
    seed: int,
    keeper: Keeper | None = None,
) -> tuple[list[Checkpoint], dict]:
    """Train a surrogate; return its kept checkpoints and their record.

    train: the real training part. chosen: rows of it whose gradients are averaged, by
    class: a draw (ours; the source takes the first of each). ``options``: ``epochs``,
    ``learning_rate``, ``batch_size`` (images), ``augment`` (as a protocol's), ``threshold``.
    seed: of the first weights and of all that the training draws.
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
    training = Training(train, network, protocol, batch, epochs, seed, None)
    examples = [
        train.images[rows]
        for rows in rows_by_class(chosen, train.labels.cpu().numpy(), int(train.labels.max()) + 1)
    ]
    keeper = keeper or Keeper()
    first, noted = keeper.go_on(training.parts, training.rngs)
    states, cosines = noted or ([], [])
    kept = [Checkpoint(*which, found.to(train.images.device)) for *which, found in states]
    numbers = range(first, epochs + 1)
    for epoch in progress(numbers, "surrogate", epochs + 1, unit="epoch", initial=first):
        if epoch:
            training.run_epoch(epoch)
            training.losses.look()
        gradients = class_gradients(training.network.eval(), examples, batch)
        if kept:
            cosines.append((epoch, mean_cosine(gradients, kept[-1].gradients)))
        if not kept or cosines[-1][1] < options["threshold"]:
            state = {key: t.cpu().clone() for key, t in training.network.state_dict().items()}
            kept.append(Checkpoint(epoch, state, gradients))
        noted = [[(c.epoch, c.state, c.gradients) for c in kept], cosines]
        keeper.note(training.parts, training.rngs, epoch + 1, noted)
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


def loss_gradient(
    network: nn.Module, images: Tensor, labels: Tensor, differentiable: bool = False
) -> Tensor:
    """∇_θ of the mean cross-entropy, flat (P,), in the order of ``network.parameters()``.

    images: (n, 3, H, W) normalised; labels: (n,). With ``differentiable`` its own gradient
    can be taken.
    """
    with torch.enable_grad():
        loss = F.cross_entropy(network(images), labels)
        found = torch.autograd.grad(loss, list(network.parameters()), create_graph=differentiable)
        return torch.cat([gradient.flatten() for gradient in found])


def write_surrogate(
    folder: str | Path, checkpoints: Sequence[Checkpoint], classes: Sequence[str], about: Mapping
) -> None:
    """Write a surrogate's folder, whole or not at all.

    about: ``network``, ``image_size`` and whatever else is to be remembered; classes are
    put beside it.
    """
    states = {f"{c.epoch}/{name}": t for c in checkpoints for name, t in c.state.items()}
    gradients = {
        f"{c.epoch}/{label}": row for c in checkpoints for label, row in enumerate(c.gradients)
    }
    record = {
        **about,
        "classes": list(classes),
        "kept": [checkpoint.epoch for checkpoint in checkpoints],
    }
    with whole(folder) as beside:
        beside.mkdir()
        write_tensors(beside / CHECKPOINTS, states, record)
        write_tensors(beside / GRADIENTS, gradients, record)


class Surrogate:
    """What ``write_surrogate`` wrote: the networks at once, gradients class by class.

    about: its record. networks: of the kept epochs, as they are asked.
    """

    def __init__(self, folder: str | Path, device: object = "cpu"):
        self._gradients, self._device = Path(folder, GRADIENTS), device
        path, self._advice = Path(folder, CHECKPOINTS), remove(folder)
        self.about = read_about(path, self._advice)
        with reading(path, self._advice):
            self.networks = _networks(read_tensors(path, self._advice), self.about, device)
        self.gradients = lru_cache(CLASSES_HELD)(self._read)

    def _read(self, label: int) -> list[Tensor]:
        """ḡ_{c,e} of one class at each kept epoch, (P,) each."""
        with opened(self._gradients, "pt", self._advice) as file:
            kept = [file.get_tensor(f"{epoch}/{label}") for epoch in self.about["kept"]]
        return [gradient.to(self._device) for gradient in kept]


def _networks(tensors: Mapping, about: Mapping, device: object) -> list[nn.Module]:
    networks = []
    network, size = about["network"], about["image_size"]
    for epoch in about["kept"]:
        made = NETWORKS[network["network"]](network, size, len(about["classes"]))
        start = f"{epoch}/"
        own = {k.removeprefix(start): t for k, t in tensors.items() if k.startswith(start)}
        made.load_state_dict(own)
        networks.append(made.to(device).eval())
    return networks
