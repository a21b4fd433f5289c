"""One student trainer: it takes a network and a protocol."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, MultiStepLR

from lighthouse.runtime.files import opened, read_tensors
from lighthouse.runtime.finite import LossWatch, check_weights
from lighthouse.runtime.job import progress
from lighthouse.runtime.keeper import Keeper
from lighthouse.runtime.memory import capacity, largest_that_fits
from lighthouse.runtime.optimizers import SGD, AdamW
from lighthouse.runtime.precision import full_float32
from lighthouse.runtime.rng import derive_seed, generator
from lighthouse.students.augment import HALF, augment, cutmix, normalise
from lighthouse.students.losses import batch_loss
from lighthouse.students.networks import NETWORKS

#: Pixels of a batch that is only looked at: 64 images of 256 px.
EVALUATED_PIXELS = 64 * 256**2


@dataclass(frozen=True)
class Images:
    """images: (n, 3, S, S) uint8; labels: (n,) int64.

    answers: (n, n_classes) logits, the soft labels that a set comes with; None of others.
    """

    images: Tensor
    labels: Tensor
    answers: Tensor | None = None

    def to(self, device: object) -> "Images":
        """The same on a device."""
        answers = None if self.answers is None else self.answers.to(device)
        return Images(self.images.to(device), self.labels.to(device), answers)

    def first(self, n: int) -> "Images":
        """The first n."""
        answers = None if self.answers is None else self.answers[:n]
        return Images(self.images[:n], self.labels[:n], answers)

    def targets(self, protocol: Mapping) -> Tensor:
        """What students learn from, where no teacher answers: (n,) classes, or (n, n_classes).

        The latter, logits, where labels are a set's own. A set without soft ones has its
        classes there, all the weight on one of them: -inf on the others.
        """
        if protocol["labels"] != "own":
            return self.labels
        if self.answers is not None:
            return self.answers
        return F.one_hot(self.labels).float().log()

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


def read_set(path: str | Path, seed: int, ipc: int, answers: str | Path | None = None) -> Images:
    """A cell's distilled set of one seed: the first ``ipc`` images of every class.

    answers: the file of its own soft labels; None where it has none.
    """

    def read(place: str | Path) -> Tensor:
        with opened(place, "pt") as file:
            return file.get_slice(f"seed~{seed}")[:, :ipc].flatten(0, 1)

    images = read(path)
    labels = torch.arange(len(images) // ipc).repeat_interleave(ipc)
    return Images(images, labels, None if answers is None else read(answers))


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
        (network(normalise(x.to(device), mean, std)).argmax(1) == y.to(device)).sum()
        for x, y in zip(data.images.split(batch), data.labels.split(batch), strict=True)
    )
    return int(right) / len(data.labels)


def train_student(
    train: Images,
    seen: Images,
    network_options: Mapping,
    protocol: Mapping,
    ipc: int,
    seed: int,
    teacher: nn.Module | None = None,
    student_seed: int = 0,
    keeper: Keeper | None = None,
) -> tuple[nn.Module, dict]:
    """Train one student on ``train`` alone, looking at ``seen`` as it goes.

    ``seed`` is that of the set and ``student_seed`` the student's among those of one set:
    both decide its first weights and all its draws. ``teacher`` gives the labels where the
    protocol says soft; ``train`` has them where it says own. Training images stay uint8 on the
    device of ``train``; only batches become float.
    Returns the network after the last epoch and a record: ``epochs``; ``curve``, pairs
    of epoch and accuracy on ``seen`` at ``protocol["evaluations"]`` evenly spaced epochs;
    ``best_epoch``, the best of them (the first, of equals), or the last where there are none;
    ``best_state``, its weights.
    Raises ``FloatingPointError`` at a loss that is not finite, and ``MemoryError``, with
    the batch that would fit, where the accelerator's memory does not do.
    """
    exact_arithmetic()
    epochs, batch = course(protocol, ipc, len(train.labels))

    def begin(part: Images, batch: int, epochs: int) -> Training:
        own = training_seed(seed, student_seed)
        return Training(part, network_options, protocol, batch, epochs, own, teacher)

    try:
        what = f"{network_options['network']}, seed {seed}, student {student_seed}"
        (trained,) = follow(begin(train, batch, epochs), seen, epochs, what, keeper)
        return trained
    except torch.OutOfMemoryError:
        pass  # leaving this block lets go of what the training held

    def trial(size: int) -> None:
        begin(train.first(size), size, 1).run_epoch(1)

    fits = largest_that_fits(trial, batch // 2)
    raise MemoryError(
        f"students of {in_words(network_options)}: a batch of {batch} images of {train.size} px "
        f"does not fit in {capacity(train.images.device)}; "
        + (f"{fits} fit: lower the protocol's batch_size" if fits else "not even 1 fits")
    )


def exact_arithmetic() -> None:
    """What makes a training on an accelerator repeat itself, in full float32."""
    full_float32()
    torch.backends.cudnn.deterministic = True


def course(protocol: Mapping, ipc: int, n: int) -> tuple[int, int]:
    """Epochs and images a step of a training on ``n`` images."""
    return at_ipc(protocol, "epochs", ipc), min(at_ipc(protocol, "batch_size", ipc), n)


def in_words(network_options: Mapping) -> str:
    """A network, for a message."""
    return ", ".join(f"{key} {value}" for key, value in network_options.items())


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


def follow(
    training: "Training", seen: Images, epochs: int, what: str, keeper: Keeper | None = None
) -> list[tuple[nn.Module, dict]]:
    """Run a training to its end, with evenly spaced looks at ``seen``.

    Returns each of its networks with the record that ``train_student`` describes. Goes on
    where the state of this training is what ``keeper`` has.
    """
    protocol, keeper = training.protocol, keeper or Keeper()
    looks = protocol["evaluations"]
    evaluated = {round(k * epochs / looks) for k in range(1, looks + 1)}
    records = [
        {"epochs": epochs, "curve": [], "best_epoch": epochs, "best_state": {}}
        for _ in training.networks
    ]
    first, noted = keeper.go_on(training.parts, training.rngs)
    records = noted or records
    numbers = range(first + 1, epochs + 1)
    for epoch in progress(numbers, what, epochs, unit="epoch", initial=first):
        training.run_epoch(epoch)
        if epoch in evaluated:
            training.losses.look()
            for network, record in zip(training.networks, records, strict=True):
                score = accuracy(network, seen, protocol["mean"], protocol["std"])
                if score > max((s for _, s in record["curve"]), default=-1.0):
                    state = {k: v.clone() for k, v in network.state_dict().items()}
                    record |= {"best_epoch": epoch, "best_state": state}
                record["curve"].append((epoch, score))
        keeper.note(training.parts, training.rngs, epoch, records, training.losses.look)
    training.losses.look()
    check_weights((w for network in training.networks for w in network.parameters()), what)
    return list(zip(training.networks, records, strict=True))


class Training:
    """A network on its way through the epochs.

    ``networks``: itself alone; ``students.stacked`` has several. ``losses`` is to be looked at
    before anything is made of the network. ``parts``, by name, and ``rngs`` are all that moves.
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
        self.network = new_network(network_options, train, seed)
        self.networks = [self.network]
        self.images, self.labels = train.images, train.targets(protocol)
        self._begin(self.network.parameters(), [seed], protocol, batch, epochs, teacher)

    def _begin(
        self,
        weights: Iterable[Tensor],
        seeds: Sequence[int],
        protocol: Mapping,
        batch: int,
        epochs: int,
        teacher: nn.Module | None,
    ) -> None:
        """What is the same of one network and of several."""
        self.protocol, self.batch, self.teacher = protocol, batch, teacher
        self.rngs, self.losses = [generator("student", seed) for seed in seeds], LossWatch()
        self.optimizer = _optimizer(weights, protocol)
        self.schedule = _schedule(self.optimizer, protocol["schedule"], epochs)
        networks = {f"network {number}": network for number, network in enumerate(self.networks)}
        self.parts = {**networks, "optimizer": self.optimizer, "schedule": self.schedule}

    def run_epoch(self, epoch: int) -> None:
        """One pass over the training images in random order."""
        for network in self.networks:
            network.train()
        for chosen in self._order().split(self.batch, -1):
            losses, logits = self._forward(chosen)
            self.losses.add(losses, logits, chosen, *self._names(epoch))
            self.optimizer.zero_grad()
            losses.sum().backward()
            self.optimizer.step()
        self.schedule.step()

    def _order(self) -> Tensor:
        """Positions of all training images, (n,)."""
        (rng,) = self.rngs
        return torch.randperm(len(self.labels), generator=rng).to(
            self.images.device, non_blocking=True
        )

    def _names(self, epoch: int) -> list[str]:
        return [f"student, epoch {epoch}"]

    def _forward(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, (), and the logits, (n, n_classes), of a batch."""
        batch = self._batch(self.images[chosen], self.labels[chosen])
        return batch_loss(self.network, self.protocol, {k: v[0] for k, v in batch.items()})

    def _batch(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """What k students see in a step, and what they are to answer.

        images: uint8 (k·n, 3, S, S); labels: (k·n,), or (k·n, n_classes) where they are the
        set's own. Returns ``images`` (k, n, 3, S, S), normalised, and ``labels`` (k, n, …);
        under CutMix the partners' labels ``others`` (k, n, …) and the ``shares`` of both
        (k, 2); where labels are soft ``answers``, the teacher's (k, n, n_classes).
        """
        of_images = {"images": augment(images, self.protocol, self.rngs), "labels": labels}
        of_students = {}
        if self.protocol["augment"]["cutmix"]:
            of_images["images"], partners, shares = cutmix(of_images["images"], self.rngs)
            of_images["others"], of_students["shares"] = labels[partners], shares
        if self.protocol["labels"] == "soft":
            with torch.no_grad():
                of_images["answers"] = self.teacher(of_images["images"])
        sizes = (len(self.rngs), -1)
        return of_students | {name: part.unflatten(0, sizes) for name, part in of_images.items()}


def new_network(network_options: Mapping, train: Images, seed: int) -> nn.Module:
    """An untrained network for the images of ``train``, on their device."""
    torch.manual_seed(seed)  # initial weights come from the global generator
    build, n_classes = NETWORKS[network_options["network"]], int(train.labels.max()) + 1
    return build(network_options, train.size, n_classes).to(train.images.device)


def _optimizer(weights: Iterable[Tensor], protocol: Mapping) -> torch.optim.Optimizer:
    """All parameters decay; RDED spares biases and norms (ours)."""
    rate, decay = protocol["learning_rate"], protocol["weight_decay"]
    if protocol["optimizer"] == "sgd":
        return SGD(weights, rate, momentum=0.9, weight_decay=decay)
    return AdamW(weights, rate, weight_decay=decay)


def _schedule(optimizer: torch.optim.Optimizer, options: Mapping, epochs: int) -> LRScheduler:
    if options["kind"] == "steps":
        milestones = [round(share * epochs) for share in options["at"]]
        return MultiStepLR(optimizer, milestones, options["factor"])
    # RDED's cosine has twice the period: the rate ends at half of where it began.
    return LambdaLR(optimizer, lambda epoch: (1 + math.cos(math.pi * epoch / epochs / 2)) / 2)
