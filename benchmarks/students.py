"""How fast students train: the package's loop, one and several at once, and the peers'.

    uv run python -m benchmarks.students [--out FOLDER]

``students.csv``: by network and size in pixels, images a second. Ways:

- ``lighthouse``: the loop of ``students.trainer``, images as bytes on the device, whole
  batches augmented there; float32 throughout.
- ``plain``: a loop of the peers' kind (MiniMax Diffusion's ``train.py`` and ``data.py``):
  torchvision's ``ImageFolder`` of PNG files and a ``DataLoader`` whose workers live on from
  epoch to epoch and augment image by image; cuDNN chooses its algorithms by trial and, as
  torch's defaults have it, convolutions may use TF32. Its files are as large as what the
  student sees, which spares it the scaling that the peers' 256 px files ask for.

Both train by the protocol ``minimax`` (random crops, flips, jitter, lighting, CutMix) on
the same synthetic pictures. ``processes`` train side by side on one device, each a student
of its own; ``at_once`` students are one batch of models in one process
(``students.stacked``; networks with batch norm cannot be). ``images_per_s`` is of all
together, ``peak_gib`` the sum of theirs.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks.measure import Table, device_peak, shipped, start_peak, synchronise
from lighthouse.runtime.job import device
from lighthouse.runtime.precision import full_float32
from lighthouse.runtime.rng import generator
from lighthouse.students.augment import cutmix, lighting
from lighthouse.students.networks import NETWORKS, is_stackable
from lighthouse.students.stacked import StackedTraining
from lighthouse.students.trainer import Images, Training, at_ipc

CLASSES = 10
#: Epochs before the clock starts.
WARM_UP = 2
#: More than any measurement comes to: the learning rate stays at its first value.
EPOCHS = 10**6

STUDENTS = (
    "way",
    "network",
    "size",
    "processes",
    "at_once",
    "workers",
    "batch",
    "images",
    "images_per_s",
    "peak_gib",
    "tf32",
)

_barrier: Barrier | None = None


@cache
def pictures(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Smooth coloured noise, (count, size, size, 3) uint8: it compresses as photographs do."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return np.stack(
        [np.asarray(Image.fromarray(c).resize((size, size), Image.BICUBIC)) for c in coarse]
    )


def write_folder(folder: Path, shown: np.ndarray, suffix: str) -> None:
    """Write pictures below ``folder`` as ``class-<k>/<i><suffix>``, one class after the other."""
    for number, picture in enumerate(shown):
        target = folder / f"class-{number % CLASSES}"
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(target / f"{number}{suffix}")


def protocol_at(size: int) -> dict:
    """The protocol ``minimax`` at a size in pixels."""
    return {**shipped()["protocols"]["minimax"], "size": size}


def batch_of(protocol: Mapping, images: int) -> int:
    """Its batch on so many images in all."""
    return min(at_ipc(protocol, "batch_size", images // CLASSES), images)


def rate(run_epoch: Callable[[int], object], images: int, least: float) -> float:
    """Images a second of a training, over whole epochs of at least ``least`` seconds.

    Where several processes measure side by side, all begin at the same time.
    """
    for epoch in range(1, WARM_UP + 1):
        run_epoch(epoch)
    synchronise()
    if _barrier:
        _barrier.wait()
    started, epoch = time.perf_counter(), WARM_UP
    while time.perf_counter() - started < least:
        epoch += 1
        run_epoch(epoch)
    synchronise()
    return images * (epoch - WARM_UP) / (time.perf_counter() - started)


def lighthouse_rate(
    network: str, size: int, images: int, least: float, at_once: int = 1
) -> tuple[float, float | None]:
    """Images a second of the package's loop, and the accelerator's peak in GiB.

    ``images`` are those of each of the students that are trained ``at_once``.
    """
    prepare()
    start_peak()
    shown = torch.from_numpy(pictures(images, size)).permute(0, 3, 1, 2).contiguous()
    train = Images(shown, torch.arange(images) % CLASSES).to(device())
    protocol, options = protocol_at(size), shipped()["students"][network]
    batch = batch_of(protocol, images)
    if at_once > 1:
        sets, seeds = [train] * at_once, range(at_once)
        training = StackedTraining(sets, options, protocol, batch, EPOCHS, seeds, None)
    else:
        training = Training(train, options, protocol, batch, EPOCHS, 0, None)
    return rate(training.run_epoch, at_once * images, least), device_peak()


def prepare() -> None:
    """The arithmetic of ``train_student``."""
    full_float32()
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


def plain_rate(
    network: str, size: int, images: int, least: float, folder: Path, workers: int
) -> tuple[float, float | None]:
    """The same of a loop of the peers' kind, on the pictures as ``write_folder`` wrote them."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = False, True
    torch.backends.cudnn.allow_tf32 = True
    start_peak()
    epochs = plain_epochs(folder, network, size, images, workers)
    return rate(lambda _: next(epochs), images, least), device_peak()


def plain_epochs(
    folder: Path, network: str, size: int, images: int, workers: int
) -> Iterator[None]:
    """Train on a folder as the peers do, an epoch each time a next one is asked for."""
    from torchvision.datasets import ImageFolder

    protocol, options = protocol_at(size), shipped()["students"][network]
    loader = torch.utils.data.DataLoader(
        ImageFolder(str(folder), plain_transform(protocol)),
        batch_of(protocol, images),
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )
    student = NETWORKS[options["network"]](options, size, CLASSES).to(device()).train()
    optimizer = torch.optim.SGD(
        student.parameters(),
        protocol["learning_rate"],
        momentum=0.9,
        weight_decay=protocol["weight_decay"],
    )
    rng = generator("plain")
    while True:
        for shown, labels in loader:
            mixed, partners, shares = cutmix(shown.to(device()), [rng])
            labels = labels.to(device())
            logits = student(mixed)
            loss = shares[0, 0] * F.cross_entropy(logits, labels)
            loss = loss + shares[0, 1] * F.cross_entropy(logits, labels[partners])
            loss.item()  # the peers' running mean of it
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield


def plain_transform(protocol: Mapping) -> Callable[[Image.Image], Tensor]:
    """The protocol's augmentation of one image, in the peers' order."""
    from torchvision import transforms

    options, jitter = protocol["augment"], protocol["augment"]["jitter"]
    return transforms.Compose(
        [
            transforms.ToTensor(),
            transforms.RandomResizedCrop(
                protocol["size"], scale=tuple(options["crop_scale"]), antialias=True
            ),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(jitter, jitter, jitter),
            partial(_lighting, options["lighting"]),
            transforms.Normalize(protocol["mean"], protocol["std"]),
        ]
    )


def _lighting(strength: float, image: Tensor) -> Tensor:
    return lighting(image[None], strength, [None])[0]


def _share(barrier: Barrier, threads: int) -> None:
    """Begin a process of those that measure side by side."""
    global _barrier
    _barrier = barrier
    torch.set_num_threads(threads)


def side_by_side(pool: ProcessPoolExecutor, processes: int, *what: object) -> tuple:
    """``lighthouse_rate`` of all processes of a pool together."""
    asked = [pool.submit(lighthouse_rate, *what) for _ in range(processes)]
    rates, peaks = zip(*(each.result() for each in asked), strict=True)
    return sum(rates), None if None in peaks else sum(peaks)


def measure(given: argparse.Namespace) -> None:
    """Fill ``students.csv``."""
    table = Table(given.out, "students", STUDENTS)
    context = get_context("spawn")
    threads = max(1, given.threads // given.processes)
    begin = (context.Barrier(given.processes), threads)
    torch.set_num_threads(given.threads)
    with ProcessPoolExecutor(given.processes, context, _share, begin) as pool:
        for size in given.size:
            with tempfile.TemporaryDirectory() as folder:
                write_folder(Path(folder), pictures(given.images, size), ".png")
                for network in given.network:
                    _measure_one(given, table, pool, Path(folder), network, size)


def _measure_one(
    given: argparse.Namespace,
    table: Table,
    pool: ProcessPoolExecutor,
    folder: Path,
    network: str,
    size: int,
) -> None:
    """The rows of one network at one size."""
    what = (network, size, given.images, given.seconds)
    beside = partial(side_by_side, pool, given.processes, *what)
    stackable = is_stackable(shipped()["students"][network], size)
    ways = (
        ("lighthouse", 1, 1, 0, partial(lighthouse_rate, *what)),
        ("plain", 1, 1, given.workers, partial(plain_rate, *what, folder, given.workers)),
        ("lighthouse", given.processes, 1, 0, beside),
        *(
            ("lighthouse", 1, at_once, 0, partial(lighthouse_rate, *what, at_once))
            for at_once in given.at_once
            if stackable
        ),
    )
    for way, processes, at_once, workers, run in ways:
        images_per_s, peak = run()
        table.add(
            way=way,
            network=network,
            size=size,
            processes=processes,
            at_once=at_once,
            workers=workers,
            batch=batch_of(protocol_at(size), given.images),
            images=given.images,
            images_per_s=images_per_s,
            peak_gib=peak,
            tf32="convolutions" if way == "plain" else "none",
        )


def main() -> None:
    """Measure, print, and write where asked."""
    known = list(shipped()["students"])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--network", choices=known, nargs="+", default=["convnet6", "resnet-ap10", "resnet18"]
    )
    parser.add_argument("--size", type=int, nargs="+", default=[96, 224], help="pixels")
    parser.add_argument("--images", type=int, default=500, help="in all, of ten classes")
    parser.add_argument("--processes", type=int, default=4, help="side by side")
    parser.add_argument(
        "--at-once", type=int, nargs="*", default=[3, 8], help="as one batch of models"
    )
    parser.add_argument("--workers", type=int, default=8, help="of the plain loop")
    parser.add_argument("--seconds", type=float, default=2.0, help="a measurement, at least")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="a folder for the same figures as CSV")
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
