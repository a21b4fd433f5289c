"""Numbers that go wrong at work: what is given, and to which part of the program."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lighthouse.coresets import Pool
from lighthouse.couplings import COUPLINGS
from lighthouse.datasets.index import ImageIndex
from lighthouse.diffusion.autoencoder import decode, new_autoencoder, train_autoencoder
from lighthouse.diffusion.encoding import encode_part
from lighthouse.diffusion.sampler import sample, settle
from lighthouse.guidance import Context, guides_of
from lighthouse.guidance.mode import Modes
from lighthouse.guidance.support import RealLatents, alone
from lighthouse.metrics.features import Extractor, Seen
from lighthouse.metrics.setutility import log_det
from lighthouse.metrics.ssim import mean_ssim
from lighthouse.mosaics import Sources, rded
from lighthouse.parts.coresets import CORESETS
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.named import load
from lighthouse.students.classifier import Classifier
from lighthouse.students.stacked import train_together
from lighthouse.students.trainer import train_student
from lighthouse.students.tuning import tried
from sampling import OPTIONS, Poisoned, at, at_work
from toy import AUTOENCODER, CLASSES, DIM, toy_denoiser, toy_sets, write_latents
from toy_students import NETWORK, PROTOCOL, bars, build
from trainings import OPTIONS as OF_PRIOR
from trainings import toy_latents, train


def told(entry: Mapping, folder: Path) -> str:
    """What is said where the part of an entry's ``to`` is given its ``values``."""
    with pytest.raises((FloatingPointError, DataError)) as error:
        PARTS[entry["to"]](folder, **entry["values"])
    return str(error.value)


def _sampling(
    folder: Path,
    bad: float,
    step: int,
    row: int,
    coupling: str = "iid",
    precision: str = "fp32",
    weights: Mapping[str, float] | None = None,
) -> None:
    """A denoiser whose noise is ``bad`` for the ``row``-th latent; sets of two in three classes."""
    options = {**OPTIONS, "guidance_scale": 1.0, "micro_batch": 12, "precision": precision}
    terms = guides_of(at_work(**(weights or {})), Context("toy", CLASSES, 2, DIM))
    denoiser = Poisoned(toy_denoiser(), at(step, row), bad)
    sample(denoiser, toy_sets(2), COUPLINGS[coupling](2), terms, options)


def _settling(folder: Path, bad: float) -> None:
    """A set that starts, without a denoiser, at a latent with a number that is ``bad``."""
    points, labels = np.zeros((6, DIM)), np.arange(6) % 3
    points[:3] = 1
    context = Context("toy", CLASSES, 2, DIM, latents=write_latents(folder / "z", points, labels))
    starts = torch.zeros(3, 2, 4, 4, 4)
    starts[0, 1, 0, 0, 3] = bad
    settle(replace(toy_sets(2), starts=starts), alone({}, context))


def _decoding(folder: Path, bad: float, image: int) -> None:
    """Ten latents, one of them with a number that is ``bad``."""
    z = torch.zeros(10, 2, 8, 8)
    z[image, 1, 2, 3] = bad
    decode(new_autoencoder(AUTOENCODER, 16), z, batch=4)


def _latents(folder: Path, weight: float) -> None:
    """Three images, and an encoder one of whose weights is so."""
    for number in range(3):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(folder / f"{number}.png")
    index = folder / "index.tsv"
    ImageIndex.write(index, [("train", 0, "a", f"{number}.png") for number in range(3)])
    model = new_autoencoder(AUTOENCODER, 16)
    with torch.no_grad():
        model.quant_conv.bias[0] = weight
    encode_part(model, folder, ImageIndex.read(index), folder / "z", 16, False, 2, 1)


def _autoencoder(folder: Path, grey: int, **options: float) -> None:
    """A training on ten images of one grey."""
    images = torch.full((10, 3, 16, 16), grey, dtype=torch.uint8)
    train_autoencoder(images, AUTOENCODER | options, 0, folder / "checkpoint")


def _prior(folder: Path, bad: float, image: int | None = None, **options: float) -> None:
    """A training on twelve latents, in one of which, or in all, a number is ``bad``."""
    z = toy_latents()
    z[slice(None) if image is None else image, 0, 1, 2, 3] = bad
    train(folder, options=OF_PRIOR | options, latents=z)


def _student(folder: Path, rate: float, epochs: int = 2, at_once: int = 1) -> None:
    """Students at a learning rate, an epoch being a step."""
    protocol, data = {**PROTOCOL, "optimizer": "sgd", "learning_rate": rate}, bars(5, 0)
    protocol |= {"epochs": [[1, epochs]], "evaluations": 1}
    if at_once == 1:
        train_student(data, data, NETWORK, protocol, 1, 0)
    else:
        seeds = [(0, number) for number in range(at_once)]
        train_together([data] * at_once, data, NETWORK, protocol, 1, seeds)


def _log_det(folder: Path, bad: float | None = None, epsilon: float = 1e-3) -> None:
    """Four equal latents; in one a number is ``bad``."""
    z = np.ones((4, 2, 3, 3))
    if bad is not None:
        z[2, 1, 0, 0] = bad
    log_det(z, epsilon)


def _similarity(folder: Path, side: int) -> None:
    """Two images of so many pixels a side."""
    mean_ssim(np.zeros((2, 3, side, side), np.uint8), [(0, 1)])


def _features(folder: Path, bad: float, image: int) -> None:
    """A network that says ``bad`` of one of ten images."""

    class Network(torch.nn.Module):
        batch = 4

        def forward(self, images: torch.Tensor) -> Seen:
            found = images.flatten(1).float()
            return Seen(torch.where(found == image, bad, found), None)

    images = torch.arange(10, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    Extractor(Network(), "a network")(images)


def _real_latents(folder: Path, bad: float, label: int) -> None:
    """Real latents that guidance by support points reads, one of which has a number ``bad``."""
    points, labels = np.zeros((6, DIM)), np.arange(6) % 3
    points[4, 7] = bad
    context = Context("toy", CLASSES, 1, DIM, latents=write_latents(folder / "z", points, labels))
    RealLatents(context).of(label)


def _modes(folder: Path, ipc: int) -> None:
    """Modes of a class of two images."""
    latents = write_latents(folder / "z", np.zeros((6, DIM)), np.arange(6) % 3)
    Modes(Context("toy", CLASSES, ipc, DIM, latents=latents)).of(0, 1)


def _coreset(folder: Path, name: str, ipc: int, with_features: int = 6) -> None:
    """A coreset of three classes of two images, of which so many have features."""
    rows = np.arange(with_features)
    numbers = np.zeros((6, 1, 2, 2, 2), np.float32)
    pool = Pool("toy", CLASSES, np.arange(6) % 3, np.zeros((len(rows), 4)), rows, numbers)
    load(CORESETS[name].choose)(pool, ipc, [0])


def _mosaics(folder: Path, ipc: int, images: int) -> None:
    """Mosaics of three classes of two images, of which so many are drawn."""
    data, labels = np.zeros((6, 3, 16, 16), np.uint8), np.arange(6) % 3
    judge = Classifier(build(), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    options = {"images": images, "crops": 1}
    rded(Sources("toy", CLASSES, labels, data.__getitem__, judge, options), ipc, [0])


def _tuning(folder: Path) -> None:
    """A candidate whose students were judged on no validation image."""
    candidate = {"variant": "tuning~0", "factors": {}, "weights": {}}
    tried(candidate, {"runs": [{"last_val": None, "last": 0.5}]}, 1.0)


#: By the ``to`` of an entry.
PARTS: dict[str, Callable[..., None]] = {
    "sampling": _sampling,
    "sampling without a denoiser": _settling,
    "decoding": _decoding,
    "latents": _latents,
    "autoencoder": _autoencoder,
    "prior": _prior,
    "student": _student,
    "log det": _log_det,
    "similarity": _similarity,
    "features": _features,
    "real latents": _real_latents,
    "modes": _modes,
    "coreset": _coreset,
    "mosaics": _mosaics,
    "tuning": _tuning,
}
