"""A surrogate on disk: a network at the kept epochs of its training, and class gradients there.

Apart from the training, whose edits must not make what reads a surrogate run again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from lighthouse.runtime.files import read_about, read_tensors, whole, write_tensors
from lighthouse.students.networks import NETWORKS

CHECKPOINTS, GRADIENTS = "checkpoints.safetensors", "gradients.safetensors"
#: Classes whose gradients are held at once: sets of several are sampled side by side.
CLASSES_HELD = 16


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


@dataclass(frozen=True)
class Checkpoint:
    """A network at one epoch of its training.

    epoch: 0 is untrained. state: of the network. gradients: ḡ_c of each class, (C, P).
    """

    epoch: int
    state: Mapping[str, Tensor]
    gradients: Tensor


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
        self.about = read_about(Path(folder, CHECKPOINTS))
        self.networks = _networks(Path(folder, CHECKPOINTS), self.about, device)
        self.gradients = lru_cache(CLASSES_HELD)(self._read)

    def _read(self, label: int) -> list[Tensor]:
        """ḡ_{c,e} of one class at each kept epoch, (P,) each."""
        with safe_open(self._gradients, framework="pt") as file:
            kept = [file.get_tensor(f"{epoch}/{label}") for epoch in self.about["kept"]]
        return [gradient.to(self._device) for gradient in kept]


def _networks(path: Path, about: Mapping, device: object) -> list[nn.Module]:
    tensors, networks = read_tensors(path), []
    network, size = about["network"], about["image_size"]
    for epoch in about["kept"]:
        made = NETWORKS[network["network"]](network, size, len(about["classes"]))
        start = f"{epoch}/"
        own = {k.removeprefix(start): t for k, t in tensors.items() if k.startswith(start)}
        made.load_state_dict(own)
        networks.append(made.to(device).eval())
    return networks
