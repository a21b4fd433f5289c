"""How fast this machine is at what a study consists of: its own functions, for some seconds."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from lighthouse.config.paths import REPOSITORY
from lighthouse.config.study import Study
from lighthouse.couplings import iid
from lighthouse.datasets.index import read_image
from lighthouse.diffusion.autoencoder import decode, encode, new_autoencoder, train_autoencoder
from lighthouse.diffusion.denoiser import new_denoiser
from lighthouse.diffusion.sampler import sample, sets_of
from lighthouse.priors.objectives import Stateless, plain
from lighthouse.priors.training import train_prior
from lighthouse.proposal.estimate import Speeds
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.job import device, log
from lighthouse.students.trainer import Images, Training

#: Of the pretrained models, which are not fetched to be measured: their sizes.
DIT_XL_2 = {"layers": 28, "heads": 16, "head_dim": 72, "patch_size": 2, "learned_variance": True}
SD_VAE = {
    "block_out_channels": [128, 256, 512, 512],
    "latent_channels": 4,
    "layers_per_block": 2,
    "norm_num_groups": 32,
}
#: Files that are read, images that are encoded, and those of the smaller batch of a student.
READ, ENCODED, FEW = 16, 16, 4
#: Most repetitions that are timed; classes and images a class in a timed call of the sampler.
MOST_REPETITIONS, CLASSES = 50, 4
#: A scale that asks for both predictions of classifier-free guidance.
SCALE = 2.0


def measured(study: Study, dataset: str, files: Sequence[Path], seconds: float) -> Speeds:
    """Take about ``seconds`` for each part of a study on a dataset.

    files: some of its images. Raises ``MemoryError`` where a step does not fit.
    """
    try:
        return _measured(study, dataset, files, seconds)
    except RuntimeError as error:  # by a processor's allocator a plain one
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise MemoryError(
            f"a training at {study.dataset(dataset)['image_size']} px does not fit into this "
            "machine's memory; allowed: a smaller --size, or another --preset"
        ) from None


def _measured(study: Study, dataset: str, files: Sequence[Path], seconds: float) -> Speeds:
    options, size = study.dataset(dataset), study.dataset(dataset)["image_size"]
    own = options["autoencoder"]
    images = _pictures(ENCODED, size)
    with TemporaryDirectory() as folder, _quiet():
        torch.set_num_threads(study.config["compute"]["training_threads"])
        autoencoder = new_autoencoder(SD_VAE if "pretrained" in own else own, size)
        autoencoder.to(device()).eval()
        encoding = _each(lambda n: [encode(autoencoder, images) for _ in range(n)], seconds)
        latents = encode(autoencoder, images, scaled=False)
        training = 0.0
        if "pretrained" not in own:
            training = _autoencoder_step(own, size, Path(folder, "autoencoder"), seconds)
        prior = _prior_step(options, latents, Path(folder, "prior"), seconds)
        torch.set_num_threads(1)
        sampling = _sampler_step(options, latents, seconds)
        decoding = _each(
            lambda n: [decode(autoencoder, latents, len(latents)) for _ in range(n)], seconds
        )
        step, image = _student(study, size, seconds)
    return Speeds(
        start=_start(),
        read=_reading(files, size, seconds),
        autoencoder_step=training,
        encode=encoding / len(images),
        prior_step=prior,
        sampler_step=sampling,
        decode=decoding / len(images),
        student_step=step,
        student_image=image,
    )


def _start() -> float:
    """Seconds until a process like a job's works.

    Of one that starts now: the first after an installation reads and compiles all that it loads,
    which no job has to do any more.
    """
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 (this module itself)
        [sys.executable, "-c", f"import gc, {__name__}; gc.freeze()"],  # as a job ends
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow" / "lib")},
        check=True,
    )
    return time.perf_counter() - began


def _autoencoder_step(options: Mapping, size: int, checkpoint: Path, seconds: float) -> float:
    images = _pictures(options["batch_size"], size)

    def train(n: int) -> None:
        train_autoencoder(images, {**options, "steps": n}, 0, checkpoint)

    return _each(train, seconds)


def _denoiser(options: Mapping, latents: Tensor) -> nn.Module:
    given = options["denoiser"]
    return new_denoiser(
        DIT_XL_2 if "pretrained" in given else given, *latents.shape[1:3], CLASSES
    ).to(device())


def _prior_step(options: Mapping, latents: Tensor, checkpoint: Path, seconds: float) -> float:
    given = {key: value for key, value in options["base"].items() if key != "stop"}
    given["schedule"] = {"kind": "constant"}
    rows, labels = latents.cpu()[:, None].numpy(), [n % CLASSES for n in range(len(latents))]

    def train(n: int) -> None:
        model, objective = _denoiser(options, latents), Stateless(plain)
        train_prior(model, rows, labels, objective, {**given, "steps": n}, 0, checkpoint)

    return _each(train, seconds)


def _sampler_step(options: Mapping, latents: Tensor, seconds: float) -> float:
    """Seconds of a latent and step, in calls as full as the study's."""
    sampler = {**options["sampler"], "guidance_scale": SCALE}
    count = max(1, sampler["micro_batch"] // 2 // CLASSES)
    model = _denoiser(options, latents)
    means, names = latents[:CLASSES], [str(number) for number in range(CLASSES)]

    def draw(n: int) -> None:
        sets = sets_of("images", names, means, [0], count)
        sample(model, sets, iid(count), (), {**sampler, "steps": n + 1})

    return _each(draw, seconds) / (count * CLASSES)


def _student(study: Study, size: int, seconds: float) -> tuple[float, float]:
    """Seconds of a student's step and, beside that, of each image in it."""
    network = study.config["students"][study.run["students"][0]]
    protocol = study.protocol(study.run["protocols"][0])

    def step(count: int) -> float:
        labels = torch.arange(count, device=device()) % CLASSES
        part = Images(_pictures(count, size), labels)
        student = Training(part, network, protocol, count, MOST_REPETITIONS, 0, None)
        return _each(lambda n: [student.run_epoch(1) for _ in range(n)], seconds)

    full = protocol["batch_size"][0][1]
    few, many = step(FEW), step(full)
    image = max(0.0, (many - few) / (full - FEW))
    return max(0.0, many - full * image), image


def _pictures(count: int, size: int) -> Tensor:
    """Images of noise, (count, 3, size, size) uint8, on the device."""
    shape = (count, 3, size, size)
    rng = torch.Generator().manual_seed(0)
    return torch.randint(256, shape, generator=rng, dtype=torch.uint8).to(device())


def _each(call: Callable[[int], object], seconds: float) -> float:
    """Seconds of one of ``n`` repetitions, of a call of ``n`` that has a cost of its own."""

    def clock(n: int) -> float:
        began = time.perf_counter()
        call(n)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() - began

    clock(1)  # loads, allocates, chooses its kernels
    one = clock(1)
    more = min(MOST_REPETITIONS, max(2, round(seconds / max(one, 1e-4))))
    return max((clock(1 + more) - one) / more, 1e-7)


def _reading(files: Sequence[Path], size: int, seconds: float) -> float:
    """Seconds to read an image by one thread; of files that are none nothing."""
    began, done = time.perf_counter(), 0
    for path in files[:READ]:
        try:
            read_image(path, size)
        except DataError:
            continue
        done += 1
        if time.perf_counter() - began > seconds:
            break
    return (time.perf_counter() - began) / max(done, 1)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within it nothing is told of trainings that train nothing."""
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
