"""One training loop for every prior: it takes an objective."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from lighthouse.diffusion.denoiser import embedders_are_equal, frequencies_of, null_label
from lighthouse.diffusion.embedding import embedded_once
from lighthouse.priors import difffit
from lighthouse.priors.batch import Batch, shares
from lighthouse.priors.held_out import held_out_loss
from lighthouse.priors.length import Length
from lighthouse.priors.step import Step
from lighthouse.runtime.checkpoint import Pace, key_of, resume, save
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.finite import check_weights
from lighthouse.runtime.job import log, progress
from lighthouse.runtime.launching import COMPILED, PLAIN, compiled
from lighthouse.runtime.precision import full_float32
from lighthouse.runtime.rng import generator
from lighthouse.runtime.tally import BOUNDS, Tally
from lighthouse.steps import TRAIN_STEPS


def train_prior(
    model: nn.Module,
    latents: np.ndarray,
    labels: np.ndarray,
    objective: nn.Module,
    options: Mapping,
    seed: int,
    checkpoint: Path,
    checkpoint_seconds: float = 60,
    held_out: tuple[np.ndarray, np.ndarray] | None = None,
    launch: str = PLAIN,
) -> tuple[nn.Module, dict]:
    """Train a denoiser on latents; return it with averaged (EMA) weights, and a record.

    ``latents``: z₀, posterior means of the scaled latents, (n, views, c, h, w) float32,
    of which a batch's rows are read: they may lie on disk. They are encoded once (ours;
    DiT draws from the posterior, whose spread is small). Of several views one is drawn.
    ``labels``: (n,). ``objective``: see ``make_objective``; what it keeps is changed.
    ``held_out``: latents (m, c, h, w) and labels (m,) that nothing is trained on, by which
    a training with ``stop`` is ended. ``launch``: of steps, see ``runtime.launching`` and
    ``Step``.

    ``options``: ``steps``, ``epochs`` (of ceil(n / batch_size) steps) or ``stop`` (see
    ``Length``), ``batch_size``
    (of all processes together), ``learning_rate`` (see ``peak_rate``), ``schedule`` (see
    ``rate_schedule``), ``gradient_clip`` (see ``clip_gradients``), ``class_dropout``,
    ``ema``, ``tune`` (``full``, or ``difffit``: see that module), ``precision`` (``fp32``,
    or ``bf16`` for the denoiser's matrix products), ``gradient_checkpointing``. Images
    are drawn with replacement; t is uniform in 0…999; labels drop to the null class once
    an image. A learned variance adds ``VariationalBound`` to the objective.

    The record: ``losses``, means over the last steps; ``trainable_parameters``, those of
    a shared embedder once; ``processes``; ``launch``, how steps were launched; ``steps``;
    ``ended_by``, what ended it, and
    ``looks``, pairs of steps done and held-out loss (``Length``); ``seconds``, what all
    steps and looks took by the clock, those before the checkpoint that it went on from too;
    ``held``, how often gradients were clipped and likelihoods floored (``runtime.tally``), in the
    first process.

    In several processes (``accelerate launch``) all draw the same batch and each works on
    its slice: the weights are those of one process, but for the order of sums. Only the
    first writes the checkpoint. An objective that keeps something from step to step sees
    one process's slices alone: it is refused there with a ``DataError``.

    Goes on from ``checkpoint`` if that was left by a run with the same options, and
    removes it at the end. Raises ``FloatingPointError`` at a loss that is not finite, and
    ``MemoryError``, with what fits, where a batch exceeds the device's memory.
    """
    full_float32()
    accelerator = Accelerator(mixed_precision="no", cpu=not torch.cuda.is_available())
    kept = [*objective.state_dict()]
    if accelerator.num_processes > 1 and kept:
        raise DataError(
            f"this prior's objective, {type(objective).__name__}, keeps memories that processes "
            "cannot share: set compute.training_gpus: 1"
        )
    share = _share(options["batch_size"], accelerator)
    length = Length(options, len(latents))
    facts = [dict(options), seed, latents.shape, _some(latents), kept, frequencies_of(model)]
    facts += [sorted(BOUNDS)]  # which a checkpoint has counts of
    facts += [launch]  # the optimizer of a graph keeps tensors where a plain one has numbers
    key = key_of(facts, model.state_dict())
    rng = generator("prior", seed)
    labels = torch.as_tensor(np.asarray(labels))
    model.to(accelerator.device)
    objective.to(accelerator.device)
    weights = _trainable(model, options)
    average = deepcopy(weights)  # as DiT it begins with the first weights, not with those of step 1
    # Lists: at each step torch would look up a ParameterList's entries by their names.
    averages, own = [*average], [*weights]
    move_averages = get_ema_multi_avg_fn(options["ema"])
    step = Step(accelerator, model, weights, objective, options, length, launch)
    parts = {
        "weights": weights,
        "average": average,
        "optimizer": step.optimizer,
        "schedule": step.schedule,
        "objective": objective,
        "length": length,
    }
    first, extra = resume(checkpoint, key, parts, rng)
    step.on_device()
    recent, spent, counts = extra or ([], 0.0, {})
    step.tally = Tally(counts)
    pace, began = Pace(checkpoint_seconds), time.monotonic() - spent
    # Blocks that are computed twice, or compiled, cannot take what another call has left.
    once = not options["gradient_checkpointing"] and step.launch != COMPILED
    with compiled(model.transformer_blocks, step.launch), embedded_once(model, once):
        for number in progress(_steps(first, length), "prior", total=length.end, initial=first):
            batch = _batch(latents, labels, step.alpha_bar, options, null_label(model), share, rng)
            losses = step.attempt(batch, f"prior, step {number}")
            if losses is None:
                raise MemoryError(step.advice(batch))
            move_averages(averages, own, None)
            recent = [*recent[-99:], accelerator.reduce(losses, "mean")]
            if length.is_due(number + 1):
                step.watch.look()
                with averaged(weights, average):
                    loss = held_out_loss(model, *held_out)
                length.look(number + 1, *_of_first(accelerator, loss, time.monotonic() - began))
            if accelerator.is_main_process and pace.is_due():
                step.watch.look()
                extra = [recent, time.monotonic() - began, step.tally.counts()]
                with pace.saving():
                    save(checkpoint, key, parts, rng, number + 1, extra)
    step.watch.look()
    check_weights(weights, "prior")
    if accelerator.is_main_process:
        checkpoint.unlink(missing_ok=True)
    accelerator.end_training()
    _finish(model, weights, average)
    last = {
        name: torch.stack([losses[name].cpu() for losses in recent]).mean().item()
        for name in (recent[0] if recent else ())
    }
    log.info("mean losses of the last %d steps: %s", len(recent), last)
    step.tally.tell("prior")
    return model, {
        "losses": last,
        "trainable_parameters": sum(weight.numel() for weight in weights),
        "processes": accelerator.num_processes,
        "launch": step.launch,
        "steps": length.end,
        "ended_by": length.ended_by,
        "looks": length.looks,
        "seconds": time.monotonic() - began,
        "held": step.tally.counts(),
    }


def _steps(first: int, length: Length) -> Iterator[int]:
    """The numbers of the steps from the first on, for as long as there is another."""
    number = first
    while length.goes_on(number):
        yield number
        number += 1


def _of_first(
    accelerator: Accelerator, loss: float | None, seconds: float
) -> tuple[float | None, float]:
    """Loss and seconds as the first of several processes has them, so that all decide alike."""
    told = torch.tensor([math.nan if loss is None else loss, seconds], dtype=torch.float64)
    first, seconds = broadcast(told.to(accelerator.device)).tolist()
    return (None if loss is None else first), seconds


@contextmanager
def averaged(weights: nn.ParameterList, average: nn.ParameterList) -> Iterator[None]:
    """Within it the trained weights are the averaged ones."""
    own = [weight.data for weight in weights]
    for weight, mean in zip(weights, average, strict=True):
        weight.data = mean.data
    try:
        yield
    finally:
        for weight, data in zip(weights, own, strict=True):
            weight.data = data


def _share(batch_size: int, accelerator: Accelerator) -> slice:
    """This process's part of a batch."""
    each, rest = divmod(batch_size, accelerator.num_processes)
    if rest:
        raise ValueError(
            f"batch_size {batch_size} is not a multiple of the {accelerator.num_processes} "
            "processes (compute.training_gpus) that share it"
        )
    return slice(accelerator.process_index * each, (accelerator.process_index + 1) * each)


def _trainable(model: nn.Module, options: Mapping) -> nn.ParameterList:
    """Make the model ready for its kind of tuning; return the weights to be trained."""
    if embedders_are_equal(model):
        difffit.share_embedders(model)
    if options["tune"] == "difffit":
        difffit.prepare(model)
    if options["gradient_checkpointing"]:
        model.enable_gradient_checkpointing()
    return nn.ParameterList(p for p in model.parameters() if p.requires_grad)


@torch.no_grad()
def _finish(model: nn.Module, weights: nn.ParameterList, average: nn.ParameterList) -> None:
    """Turn the trained model into a plain one with the averaged weights."""
    for weight, averaged in zip(weights, average, strict=True):
        weight.copy_(averaged)
    difffit.fold(model)
    difffit.part_embedders(model)
    model.disable_gradient_checkpointing()
    model.requires_grad_(True)


def _batch(
    latents: np.ndarray,
    labels: Tensor,
    alphas: Tensor,
    options: Mapping,
    null: int,
    share: slice,
    rng: torch.Generator,
) -> Batch:
    """Draw a batch and keep ``share`` of it, on the device of ``alphas``.

    All draws are made on the CPU, from one generator: the same in every process.
    """
    n, views, *shape = latents.shape
    size, device = options["batch_size"], alphas.device
    chosen = torch.randint(n, (size,), generator=rng)[share]
    t = torch.randint(TRAIN_STEPS, (size,), generator=rng)[share].to(device)
    dropped = (torch.rand(size, generator=rng) < options["class_dropout"])[share]
    noise = torch.randn(size, *shape, generator=rng)[share].to(device)
    view = torch.randint(views, (size,), generator=rng)[share] if views > 1 else 0 * chosen
    z0 = torch.from_numpy(latents[chosen.numpy(), view.numpy()]).to(device)
    alpha_bar = alphas[t]
    clean, noisy = shares(alpha_bar, z0)
    z_t = clean * z0 + noisy * noise
    classes = labels[chosen]
    given = classes.masked_fill(dropped, null).to(device)
    return Batch(z0, z_t, noise, t, alpha_bar, given, classes.to(device), chosen)


def _some(latents: np.ndarray) -> float:
    """A sum that other data would change: of about a thousand images, not to read them all."""
    return latents[:: max(1, len(latents) // 1000)].sum(dtype=np.float64).item()
