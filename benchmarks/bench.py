"""What the checks of an accelerator work on: a small prior, its latents, and its samples."""

import copy
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.measure import shipped
from benchmarks.sampling import SHAPE, drawn, model_of, options_of
from lighthouse.couplings import iid
from lighthouse.diffusion.sampler import sets_of
from lighthouse.guidance import Guide
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.priors.objectives import make_objective
from lighthouse.priors.training import train_prior
from lighthouse.runtime.job import device
from lighthouse.runtime.launching import PLAIN

CLASSES = ("ant", "bee", "cat", "dog")
IPC = 3
#: Of classifier-free guidance: a prior of so few steps, pushed by 4, leaves the latents' range.
SCALE = 1.5


class Trained(NamedTuple):
    """A denoiser, the loss of its noise (1 is that of saying nothing), and how it was launched."""

    model: nn.Module
    loss: float
    launch: str


@dataclass(frozen=True)
class Bench:
    """What the checks work on.

    model: one of ``MODELS``. steps, batch: of a training. sampled_steps: of the sampler.
    students: number of images and their size in pixels.
    """

    model: str
    steps: int
    batch: int
    sampled_steps: int
    students: tuple[int, int]

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Latents with a mean for each class, (n, 1, c, h, w), and labels."""
        rng = np.random.default_rng(0)
        labels = np.arange(256) % len(CLASSES)
        means = rng.standard_normal((len(CLASSES), *SHAPE), np.float32)
        latents = 0.8 * means[labels] + 0.6 * rng.standard_normal((256, *SHAPE), np.float32)
        return latents[:, None], labels

    @cached_property
    def means(self) -> Tensor:
        """Class means of the latents, (C, c, h, w), on the device."""
        latents, labels = self.data
        means = [latents[labels == k, 0].mean(0) for k in range(len(CLASSES))]
        return torch.from_numpy(np.stack(means)).to(device())

    @cached_property
    def prior(self) -> "Trained":
        """A denoiser trained in float32."""
        return self.trained("fp32", self.batch)

    def trained(
        self,
        precision: str,
        batch: int,
        steps: int | None = None,
        schedule: Mapping | None = None,
        launch: str = PLAIN,
    ) -> "Trained":
        """A denoiser after a training. schedule: the default's unless given."""
        torch.manual_seed(0)
        model = model_of(self.model, len(CLASSES), "cpu")
        options = {
            **shipped()["datasets"]["digits"]["base"],
            "steps": steps or self.steps,
            "batch_size": batch,
            "learning_rate": 1e-3,
            "ema": 0.9,
            "precision": precision,
            **({"schedule": schedule} if schedule else {}),
        }
        objective = make_objective(OBJECTIVES["plain"].make, {}, np.zeros((len(CLASSES), *SHAPE)))
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "checkpoint"
            model, record = train_prior(
                model, *self.data, objective, options, 0, checkpoint, launch=launch
            )
        model.eval().requires_grad_(False)
        return Trained(model, record["losses"]["noise"], record["launch"])

    def samples(
        self,
        micro_batch: int = 4,
        precision: str = "fp32",
        coupling: Callable = iid,
        guided_by: tuple[Guide, ...] = (),
        classes: tuple[int, ...] = tuple(range(len(CLASSES))),
        ipc: int = IPC,
        where: object = None,
        launch: str = PLAIN,
    ) -> Tensor:
        """Latents of some classes from the prior, (B, N, c, h, w)."""
        place = where or device()
        model = copy.deepcopy(self.prior.model).to(place)
        sets = sets_of("bench", CLASSES, self.means.to(place), [0], ipc, classes)
        options = options_of(micro_batch, precision, self.sampled_steps, SCALE)
        return drawn(model, sets, coupling(ipc), list(guided_by), options, launch)


REAL = Bench("dit-s-2", steps=100, batch=64, sampled_steps=8, students=(100, 64))
TOY = Bench("dit-tiny", steps=8, batch=8, sampled_steps=3, students=(8, 16))
