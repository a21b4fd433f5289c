"""One training loop for every prior: it takes an objective."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lighthouse.diffusion.denoiser import null_label, predict_noise
from lighthouse.diffusion.sampler import noise_schedule
from lighthouse.priors.objectives import Batch, Objective
from lighthouse.runtime.files import whole
from lighthouse.runtime.finite import check_loss
from lighthouse.runtime.job import log, progress
from lighthouse.runtime.rng import generator

TRAIN_STEPS = 1000


def train_prior(
    model: nn.Module,
    latents: Tensor,
    labels: Tensor,
    objective: Objective,
    options: Mapping,
    seed: int,
    checkpoint: Path,
    checkpoint_seconds: float = 60,
) -> tuple[nn.Module, dict[str, float]]:
    """Train a denoiser on latents; return the averaged (EMA) model and the last losses.

    ``latents``: z₀, posterior means of the scaled latents, (n, c, h, w): they are
    encoded once (ours; DiT draws from the posterior, whose spread is small).
    ``labels``: (n,). ``options``: ``steps``, ``batch_size``,
    ``learning_rate``, ``schedule``, ``class_dropout``, ``ema``. All weights are
    trained; t is uniform in 0…999; labels drop to the null class once an image.

    Goes on from ``checkpoint`` if that was left by a run with the same options, and
    removes it at the end. Raises ``FloatingPointError`` at a loss that is not finite.
    """
    device = latents.device
    rng = generator("prior", seed)
    alphas = noise_schedule(TRAIN_STEPS).alphas_cumprod.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), options["learning_rate"], weight_decay=0)
    schedule = _schedule(optimizer, options)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(options["ema"]))
    parts = {"model": model, "average": average, "optimizer": optimizer, "schedule": schedule}
    key = _key(options, model, latents, seed)
    first, recent = _resume(checkpoint, key, parts, rng)
    saved = time.monotonic()
    bar = progress(range(first, options["steps"]), "prior", total=options["steps"], initial=first)
    for step in bar:
        batch, given = _batch(latents, labels, alphas, options, null_label(model), rng)
        prediction = predict_noise(model, batch.z_t, given, batch.labels)
        loss, losses = objective(prediction, batch)
        check_loss(loss, prediction, batch.chosen, f"prior, step {step}")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
        recent = [*recent[-99:], {name: value.detach() for name, value in losses.items()}]
        if time.monotonic() - saved > checkpoint_seconds:
            _save(checkpoint, key, parts, rng, step + 1, recent)
            saved = time.monotonic()
    checkpoint.unlink(missing_ok=True)
    last = {
        name: torch.stack([losses[name] for losses in recent]).mean().item()
        for name in (recent[0] if recent else ())
    }
    log.info("mean losses of the last %d steps: %s", len(recent), last)
    return average.module, last


def _schedule(optimizer: torch.optim.Optimizer, options: Mapping) -> object:
    if options["schedule"] == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, options["learning_rate"], options["steps"], pct_start=0.1
        )
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def _batch(
    latents: Tensor,
    labels: Tensor,
    alphas: Tensor,
    options: Mapping,
    null: int,
    rng: torch.Generator,
) -> tuple[Batch, Tensor]:
    """Draw a batch and its steps t. All draws are made on the CPU, from one generator."""
    size, device = options["batch_size"], latents.device
    chosen = torch.randint(len(latents), (size,), generator=rng).to(device)
    t = torch.randint(TRAIN_STEPS, (size,), generator=rng).to(device)
    dropped = (torch.rand(size, generator=rng) < options["class_dropout"]).to(device)
    noise = torch.randn(size, *latents.shape[1:], generator=rng).to(device)
    z0 = latents[chosen]
    alpha_bar = alphas[t]
    spread = alpha_bar[:, None, None, None]
    z_t = spread.sqrt() * z0 + (1 - spread).sqrt() * noise
    given = labels[chosen].masked_fill(dropped, null)
    return Batch(z0, z_t, noise, alpha_bar, given, chosen), t


def _key(options: Mapping, model: nn.Module, latents: Tensor, seed: int) -> str:
    """What a checkpoint must agree with: options, data and the weights training began from."""
    text = json.dumps([dict(options), seed, list(latents.shape), latents.double().sum().item()])
    sha = hashlib.sha256(text.encode())
    for name, tensor in model.state_dict().items():
        sha.update(name.encode())
        sha.update(tensor.cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def _save(
    path: Path, key: str, parts: Mapping, rng: torch.Generator, step: int, recent: list
) -> None:
    states = {name: part.state_dict() for name, part in parts.items()}
    with whole(path) as beside:
        torch.save(
            {"key": key, "step": step, "recent": recent, "rng": rng.get_state(), **states}, beside
        )


def _resume(path: Path, key: str, parts: Mapping, rng: torch.Generator) -> tuple[int, list]:
    """Load our own checkpoint if it fits; return the step to go on from, and recent losses."""
    if not path.exists():
        return 0, []
    state = torch.load(path, weights_only=True, map_location="cpu")
    if state["key"] != key:
        log.info("%s was left by a run with other options: starting anew", path)
        return 0, []
    for name, part in parts.items():
        part.load_state_dict(state[name])
    rng.set_state(state["rng"])
    log.info("going on from step %d of %s", state["step"], path)
    return state["step"], state["recent"]
