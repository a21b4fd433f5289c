"""One student trainer: it takes a network and a protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lighthouse.runtime.finite import check_loss
from lighthouse.runtime.rng import generator
from lighthouse.students.augment import random_resized_crop
from lighthouse.students.networks import NETWORKS


@dataclass(frozen=True)
class Images:
    """images: (n, 3, H, W) uint8; labels: (n,) int64."""

    images: Tensor
    labels: Tensor

    def to(self, device: object) -> "Images":
        """The same on a device."""
        return Images(self.images.to(device), self.labels.to(device))


def normalise(images: Tensor) -> Tensor:
    """uint8 to float: mean and standard deviation 0.5, so in [-1, 1]."""
    return images.float() / 127.5 - 1


def epochs_for(protocol: Mapping, ipc: int) -> int:
    """Epochs at an IPC. ``KeyError`` if the protocol ends below it."""
    for largest, epochs in protocol["epochs"]:
        if ipc <= largest:
            return epochs
    raise KeyError(f"the protocol has no epochs for IPC {ipc}")


@torch.no_grad()
def accuracy(network: nn.Module, data: Images, batch: int = 512) -> float:
    """Share of images whose class is right, a fraction."""
    network.eval()
    right = sum(
        (network(normalise(x)).argmax(1) == y).sum().item()
        for x, y in zip(data.images.split(batch), data.labels.split(batch), strict=True)
    )
    return right / len(data.labels)


def train_student(
    train: Images,
    val: Images,
    network_options: Mapping,
    protocol: Mapping,
    ipc: int,
    seed: int,
) -> tuple[nn.Module, dict]:
    """Train one student on ``train`` alone, looking at ``val`` as it goes.

    Returns the network after the last epoch and a record: ``epochs``; ``curve``, pairs
    of epoch and accuracy on ``val`` at ``protocol["evaluations"]`` evenly spaced epochs;
    ``best_epoch``, the best of them (the first, of equals); ``best_state``, its weights.
    Raises ``FloatingPointError`` at a loss that is not finite.
    """
    device = train.images.device
    epochs = epochs_for(protocol, ipc)
    torch.manual_seed(seed)  # initial weights come from the global generator
    network = NETWORKS[network_options["network"]](
        network_options, train.images.shape[-1], int(val.labels.max()) + 1
    ).to(device)
    rng = generator("student", seed)
    optimizer = _optimizer(network, protocol)
    milestones = [round(share * epochs) for share in protocol["lr_decay"]["at"]]
    schedule = torch.optim.lr_scheduler.MultiStepLR(
        optimizer, milestones, protocol["lr_decay"]["factor"]
    )
    looks = {
        round(k * epochs / protocol["evaluations"]) for k in range(1, protocol["evaluations"] + 1)
    }
    images = normalise(train.images)
    curve: list[tuple[int, float]] = []
    best = {"best_epoch": 0, "best_state": {}}
    for epoch in range(1, epochs + 1):
        _train_epoch(network, images, train.labels, optimizer, protocol, rng, epoch)
        schedule.step()
        if epoch in looks:
            score = accuracy(network, val)
            if score > max((s for _, s in curve), default=-1.0):
                state = {k: v.clone() for k, v in network.state_dict().items()}
                best = {"best_epoch": epoch, "best_state": state}
            curve.append((epoch, score))
    return network, {"epochs": epochs, "curve": curve, **best}


def score_student(network: nn.Module, record: Mapping, test: Images) -> dict:
    """Use the test part, once: accuracy (fractions) of the last epoch and of the best on val.

    The test part has decided nothing before.
    """
    last = best = accuracy(network, test)
    if record["best_epoch"] != record["epochs"]:
        network.load_state_dict(record["best_state"])
        best = accuracy(network, test)
    kept = {key: record[key] for key in ("epochs", "best_epoch", "curve")}
    return {"last": last, "best": best, **kept}


def _optimizer(network: nn.Module, protocol: Mapping) -> torch.optim.Optimizer:
    rate, decay = protocol["learning_rate"], protocol["weight_decay"]
    if protocol["optimizer"] == "sgd":
        return torch.optim.SGD(network.parameters(), rate, momentum=0.9, weight_decay=decay)
    return torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)


def _train_epoch(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    optimizer: torch.optim.Optimizer,
    protocol: Mapping,
    rng: torch.Generator,
    epoch: int,
) -> None:
    network.train()
    order = torch.randperm(len(images), generator=rng).to(images.device)
    for chosen in order.split(protocol["batch_size"]):
        batch = random_resized_crop(images[chosen], protocol["crop_scale"], rng)
        logits = network(batch)
        loss = nn.functional.cross_entropy(logits, labels[chosen])
        check_loss(loss, logits, chosen, f"student, epoch {epoch}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
