"""Short trainings of a toy prior, for several test files."""

import numpy as np
import torch
from torch import nn

from lighthouse.priors.objectives import Stateless, plain
from lighthouse.priors.training import train_prior
from toy import toy_denoiser

OPTIONS = {
    "steps": 8,
    "batch_size": 6,
    "learning_rate": 1e-2,
    "schedule": {"kind": "one-cycle", "warmup": 0.1},
    "gradient_clip": 1.0,
    "class_dropout": 0.3,
    "ema": 0.9,
    "tune": "full",
    "precision": "fp32",
    "gradient_checkpointing": False,
    "objective": "plain",
}


class StoppedError(Exception):
    """Stands for a job that was killed."""


def stopping_at(step):
    """An objective that is plain until a step, and then stops the run."""
    calls = []

    def objective(prediction, batch):
        calls.append(1)
        if len(calls) > step:
            raise StoppedError
        return plain(prediction, batch)

    return objective


def toy_latents(views=1):
    rng = torch.Generator().manual_seed(2)
    return torch.randn(12, views, 4, 4, 4, generator=rng).numpy()


def train(
    folder,
    objective=plain,
    options=OPTIONS,
    model=None,
    seconds=60.0,
    seed=0,
    latents=None,
    held_out=None,
):
    trained, record = train_prior(
        model or toy_denoiser(),
        toy_latents() if latents is None else latents,
        np.arange(12) % 3,
        objective if isinstance(objective, nn.Module) else Stateless(objective),
        options,
        seed,
        checkpoint=folder / "checkpoint",
        checkpoint_seconds=seconds,
        held_out=held_out,
    )
    # The seconds differ from run to run.
    return trained, {key: record[key] for key in record.keys() - {"seconds"}}


def assert_same(one, other):
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
