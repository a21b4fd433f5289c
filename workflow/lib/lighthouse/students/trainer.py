"""One student trainer: it takes a network and a protocol."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, MultiStepLR

from lighthouse.runtime.files import read_tensors
from lighthouse.runtime.finite import LossWatch
from lighthouse.runtime.job import progress
from lighthouse.runtime.memory import capacity, largest_that_fits
from lighthouse.runtime.optimizers import SGD, AdamW
from lighthouse.runtime.precision import autocast, full_float32
from lighthouse.runtime.rng import derive_seed, generator
from lighthouse.students.augment import HALF, augment, cutmix, normalise
from lighthouse.students.networks import NETWORKS

#: Pixels of a batch that is only looked at: 64 images of 256 px.
EVALUATED_PIXELS = 64 * 256**2


@dataclass(frozen=True)
class Images:
    """images: (n, 3, S, S) uint8; labels: (n,) int64."""

    images: Tensor
    labels: Tensor

    def to(self, device: object) -> "Images":
        """The same on a device."""
        return Images(self.images.to(device), self.labels.to(device))

    @property
    def size(self) -> int:
        """Side in pixels."""
        return self.images.shape[-1]

    def resized(self, size: int) -> "Images":
        """The same at ``size`` pixels a side: bilinear, averaging where it shrinks them.

        As MiniMax's code does before its crops; RDED's crops the full image (ours: as here).
        """
        if size == self.size:
            return self
        images = [
            F.interpolate(part.float(), size, mode="bilinear", antialias=True).round().byte()
            for part in self.images.split(256)
        ]
        return replace(self, images=torch.cat(images))


def read_pixels(path: str | Path) -> dict[str, Images]:
    """The real images that students are judged by: parts ``val``, maybe empty, and ``test``."""
    pixels = read_tensors(path)
    return {part: Images(pixels[part], pixels[f"{part}_labels"]) for part in ("val", "test")}


def choosing_part(parts: Mapping[str, Images]) -> str:
    """The part on which a best epoch is chosen.

    ``val``, so that test decides nothing; where val is empty ``test``, which is what the
    peers publish and flatters.
    """
    return "val" if len(parts["val"].labels) else "test"


def read_set(path: str | Path, seed: int, ipc: int) -> Images:
    """A cell's distilled set of one seed: the first ``ipc`` images of every class."""
    with safe_open(path, framework="pt") as file:
        images = file.get_slice(f"seed~{seed}")[:, :ipc]
    return Images(images.flatten(0, 1), torch.arange(len(images)).repeat_interleave(ipc))


def at_ipc(protocol: Mapping, key: str, ipc: int) -> int:
    """A protocol's ``epochs`` or ``batch_size`` at an IPC: that of the first pair not below it.

    ``KeyError`` if the pairs end below it.
    """
    for largest, value in protocol[key]:
        if ipc <= largest:
            return value
    raise KeyError(f"the protocol has no {key} for IPC {ipc}")


@torch.no_grad()
def accuracy(
    network: nn.Module,
    data: Images,
    mean: Sequence[float] = HALF,
    std: Sequence[float] = HALF,
    batch: int = 512,
) -> float:
    """Share of images whose class is right, a fraction.

    The images may lie on another device than the network: they follow in batches, of
    fewer images than ``batch`` where these are large.
    """
    network.eval()
    device = next(network.parameters()).device
    batch = min(batch, max(1, EVALUATED_PIXELS // data.size**2))
    right = sum(
        (network(normalise(x.to(device), mean, std)).argmax(1) == y.to(device)).sum().item()
        for x, y in zip(data.images.split(batch), data.labels.split(batch), strict=True)
    )
    return right / len(data.labels)


def train_student(
    train: Images,
    seen: Images,
    network_options: Mapping,
    protocol: Mapping,
    ipc: int,
    seed: int,
    teacher: nn.Module | None = None,
    student_seed: int = 0,
) -> tuple[nn.Module, dict]:
    """Train one student on ``train`` alone, looking at ``seen`` as it goes.

    ``seed`` is that of the set and ``student_seed`` the student's among those of one set:
    both decide its first weights and all its draws. ``teacher`` gives the labels where the
    protocol says soft. Training images stay uint8 on the device of ``train``; only batches
    become float.
    Returns the network after the last epoch and a record: ``epochs``; ``curve``, pairs
    of epoch and accuracy on ``seen`` at ``protocol["evaluations"]`` evenly spaced epochs;
    ``best_epoch``, the best of them (the first, of equals), or the last where there are none;
    ``best_state``, its weights.
    Raises ``FloatingPointError`` at a loss that is not finite, and ``MemoryError``, with
    the batch that would fit, where the accelerator's memory does not do.
    """
    full_float32()
    torch.backends.cudnn.deterministic = True
    epochs = at_ipc(protocol, "epochs", ipc)
    batch = min(at_ipc(protocol, "batch_size", ipc), len(train.labels))

    def begin(part: Images, batch: int, epochs: int) -> Training:
        own = training_seed(seed, student_seed)
        return Training(part, network_options, protocol, batch, epochs, own, teacher)

    try:
        what = f"{network_options['network']}, seed {seed}, student {student_seed}"
        return _follow(begin(train, batch, epochs), seen, epochs, what)
    except torch.OutOfMemoryError:
        pass  # leaving this block lets go of what the training held

    def trial(size: int) -> None:
        begin(Images(train.images[:size], train.labels[:size]), size, 1).run_epoch(1)

    fits = largest_that_fits(trial, batch // 2)
    names = ", ".join(f"{key} {value}" for key, value in network_options.items())
    raise MemoryError(
        f"students of {names}: a batch of {batch} images of {train.size} px does not fit in "
        f"{capacity(train.images.device)}; "
        + (f"{fits} fit: lower the protocol's batch_size" if fits else "not even 1 fits")
    )


def training_seed(seed: int, student_seed: int) -> int:
    """The seed of a training: the set's own for its student 0, another for each other one."""
    return derive_seed("student", seed, student_seed) if student_seed else seed


def score_student(
    network: nn.Module, record: Mapping, parts: Mapping[str, Images], protocol: Mapping
) -> dict:
    """Accuracy (fractions) on the test part of the last epoch and of the best one.

    If the best was chosen on a val part, the test part has decided nothing before.
    ``last_val``: the last epoch's on the val part, on which sets can be chosen; None without one.
    """
    test, colours = parts["test"], (protocol["mean"], protocol["std"])
    last = best = accuracy(network, test, *colours)
    last_val = accuracy(network, parts["val"], *colours) if len(parts["val"].labels) else None
    if record["best_epoch"] != record["epochs"]:
        network.load_state_dict(record["best_state"])
        best = accuracy(network, test, *colours)
    kept = {key: record[key] for key in ("epochs", "best_epoch", "curve")}
    return {"last": last, "best": best, "last_val": last_val, **kept}


def _follow(training: "Training", seen: Images, epochs: int, what: str) -> tuple[nn.Module, dict]:
    """Run a training to its end, with evenly spaced looks at ``seen``."""
    network, protocol = training.network, training.protocol
    looks = protocol["evaluations"]
    evaluated = {round(k * epochs / looks) for k in range(1, looks + 1)}
    curve: list[tuple[int, float]] = []
    best = {"best_epoch": epochs, "best_state": {}}
    for epoch in progress(range(1, epochs + 1), what, unit="epoch"):
        training.run_epoch(epoch)
        if epoch in evaluated:
            training.losses.look()
            score = accuracy(network, seen, protocol["mean"], protocol["std"])
            if score > max((s for _, s in curve), default=-1.0):
                state = {k: v.clone() for k, v in network.state_dict().items()}
                best = {"best_epoch": epoch, "best_state": state}
            curve.append((epoch, score))
    training.losses.look()
    return network, {"epochs": epochs, "curve": curve, **best}


class Training:
    """A network on its way through the epochs.

    ``losses`` is to be looked at before anything is made of the network.
    """

    def __init__(
        self,
        train: Images,
        network_options: Mapping,
        protocol: Mapping,
        batch: int,
        epochs: int,
        seed: int,
        teacher: nn.Module | None,
    ):
        self.train, self.protocol, self.batch, self.teacher = train, protocol, batch, teacher
        torch.manual_seed(seed)  # initial weights come from the global generator
        self.network = NETWORKS[network_options["network"]](
            network_options, train.size, int(train.labels.max()) + 1
        ).to(train.images.device)
        self.rng, self.losses = generator("student", seed), LossWatch()
        self.optimizer = _optimizer(self.network, protocol)
        self.schedule = _schedule(self.optimizer, protocol["schedule"], epochs)

    def run_epoch(self, epoch: int) -> None:
        """One pass over the training images in random order."""
        self.network.train()
        images, labels = self.train.images, self.train.labels
        order = torch.randperm(len(images), generator=self.rng).to(images.device)
        for chosen in order.split(self.batch):
            loss, logits = self._loss(images[chosen], labels[chosen])
            self.losses.add(loss, logits, chosen, f"student, epoch {epoch}")
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        self.schedule.step()

    def _loss(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and logits of one batch of uint8 images."""
        images, partners, share = augment(images, self.protocol, self.rng), None, 1.0
        if self.protocol["augment"]["cutmix"]:
            images, partners, share = cutmix(images, self.rng)
        with autocast(images.device, self.protocol["precision"]):
            logits = self.network(images)
        logits = logits.float()
        if self.protocol["labels"] == "soft":
            with torch.no_grad():
                answers = self.teacher(images)
            return soft_loss(logits, answers, self.protocol["temperature"]), logits
        loss = F.cross_entropy(logits, labels)
        if partners is not None:
            loss = share * loss + (1 - share) * F.cross_entropy(logits, labels[partners])
        return loss, logits


def soft_loss(logits: Tensor, answers: Tensor, temperature: float) -> Tensor:
    """Mean over the batch of KL(teacher ‖ student), both softened (RDED: no factor T²).

    logits, answers: (n, n_classes), the student's and the teacher's.
    """
    return F.kl_div(
        F.log_softmax(logits / temperature, 1),
        F.softmax(answers / temperature, 1),
        reduction="batchmean",
    )


def _optimizer(network: nn.Module, protocol: Mapping) -> torch.optim.Optimizer:
    """All parameters decay; RDED spares biases and norms (ours)."""
    rate, decay = protocol["learning_rate"], protocol["weight_decay"]
    if protocol["optimizer"] == "sgd":
        return SGD(network.parameters(), rate, momentum=0.9, weight_decay=decay)
    return AdamW(network.parameters(), rate, weight_decay=decay)


def _schedule(optimizer: torch.optim.Optimizer, options: Mapping, epochs: int) -> LRScheduler:
    if options["kind"] == "steps":
        milestones = [round(share * epochs) for share in options["at"]]
        return MultiStepLR(optimizer, milestones, options["factor"])
    # RDED's cosine has twice the period: the rate ends at half of where it began.
    return LambdaLR(optimizer, lambda epoch: (1 + math.cos(math.pi * epoch / epochs / 2)) / 2)
