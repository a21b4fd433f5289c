"""diffusers' AutoencoderKL: trained in a small size, and used in batches."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from lighthouse.datasets.index import ImageIndex
from lighthouse.diffusion.loading import load_model
from lighthouse.diffusion.reconstruction import Distance, ReconstructionLoss
from lighthouse.runtime import checkpoint as checkpoints
from lighthouse.runtime.finite import LossWatch, check_weights
from lighthouse.runtime.job import log, progress
from lighthouse.runtime.optimizers import AdamW, clip_gradients, rate_schedule
from lighthouse.runtime.rng import generator
from lighthouse.runtime.tally import BOUNDS, Tally

#: Pixels of the images in one call of the encoder or decoder, where a caller names no
#: batch: four images of 256 px, since activations outgrow the weights there.
PIXELS_AT_ONCE = 2**18
#: Most images of a part by which an autoencoder is measured, and how many are read at once.
MOST_MEASURED, READ_AT_ONCE = 1000, 64
#: Half a grey level of images in [-1, 1], by which bytes round.
HALF_LEVEL = 1 / 255


def to_signed(images: Tensor) -> Tensor:
    """uint8 in 0…255 to float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def to_bytes(images: Tensor) -> Tensor:
    """Float in [-1, 1] (clamped) to uint8 in 0…255."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def new_autoencoder(options: Mapping, image_size: int) -> AutoencoderKL:
    """An untrained autoencoder. Each level after the first halves the side."""
    levels = len(options["block_out_channels"])
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=tuple(options["block_out_channels"]),
        layers_per_block=options["layers_per_block"],
        latent_channels=options["latent_channels"],
        norm_num_groups=options["norm_num_groups"],
        sample_size=image_size,
        mid_block_add_attention=False,
    )


def train_autoencoder(
    images: Tensor,
    options: Mapping,
    seed: int,
    checkpoint: Path,
    checkpoint_seconds: float = 60,
    perceptual: Distance | None = None,
) -> tuple[AutoencoderKL, dict]:
    """Train on real images and set the scaling factor.

    ``images``: (n, 3, H, W) uint8. Loss: ``ReconstructionLoss``, whose ``perceptual`` is a
    module. The scaling factor is one over the standard deviation of the training latents, as
    latent diffusion does.
    Returns the model and a record: ``losses``, the terms of the last step before their weights;
    ``trainable_parameters``, ``steps``; ``held``, how often gradients were clipped
    (``runtime.tally``).

    Goes on from ``checkpoint`` if that was left by a run with the same options, and
    removes it at the end. Raises ``FloatingPointError`` at a loss, and behind the last step at a
    weight, that is not finite.
    """
    device = images.device
    torch.manual_seed(seed)  # diffusers draws the initial weights from the global generator
    model = new_autoencoder(options, images.shape[-1]).to(device)
    loss_of = ReconstructionLoss(options, perceptual)
    rng = generator("autoencoder", seed)
    steps = options["steps"]
    optimizer = AdamW(model.parameters(), options["learning_rate"], weight_decay=0)
    schedule = rate_schedule(optimizer, options["schedule"], options["learning_rate"], steps)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    facts = [dict(options), seed, list(images.shape), images.sum(dtype=torch.int64).item()]
    facts += [sorted(BOUNDS)]  # which a checkpoint has counts of
    judge = perceptual.state_dict() if perceptual is not None else {}
    key = checkpoints.key_of(facts, {**model.state_dict(), **judge})
    first, extra = checkpoints.resume(checkpoint, key, parts, rng)
    terms, counts = extra or ({}, {})
    watch, tally, pace = LossWatch(), Tally(counts), checkpoints.Pace(checkpoint_seconds)
    for step in progress(range(first, steps), "autoencoder", total=steps, initial=first):
        chosen = torch.randint(len(images), (options["batch_size"],), generator=rng)
        batch = to_signed(images[chosen.to(device)])
        loss, terms, decoded = loss_of(model, batch, rng)
        watch.add(loss, decoded, chosen, f"autoencoder, step {step}")
        optimizer.zero_grad()
        loss.backward()
        clipped = clip_gradients(model.parameters(), options)
        if clipped is not None:
            tally.add("gradients_clipped", clipped.long(), 1)
        optimizer.step()
        schedule.step()
        if pace.is_due():
            watch.look()
            extra = [_detached(terms), tally.counts()]
            with pace.saving():
                checkpoints.save(checkpoint, key, parts, rng, step + 1, extra)
    watch.look()
    check_weights(model.parameters(), "autoencoder")
    model.eval()
    deviation = encode(model, images, scaled=False).std().item()
    model.register_to_config(scaling_factor=1 / deviation)
    checkpoint.unlink(missing_ok=True)
    losses = {name: term.item() for name, term in terms.items()}
    words = ", ".join(f"{name} {value:.5f}" for name, value in losses.items())
    log.info("autoencoder: %s; latents' standard deviation %.2f", words, deviation)
    count = sum(parameter.numel() for parameter in model.parameters())
    tally.tell("autoencoder")
    return model, {
        "losses": losses,
        "trainable_parameters": count,
        "steps": steps,
        "held": tally.counts(),
    }


def _detached(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: term.detach() for name, term in terms.items()}


def _batch(limit: int, side: int) -> int:
    return max(1, min(limit, PIXELS_AT_ONCE // side**2))


@torch.no_grad()
def encode(
    model: AutoencoderKL, images: Tensor, batch: int | None = None, scaled: bool = True
) -> Tensor:
    """Posterior means of the latents, (n, c, h, w), on the model's device.

    ``images``: (n, 3, H, W) uint8, in calls of ``batch`` (256, or fewer large ones).
    z₀ = scaling factor · latent unless ``scaled`` is off.
    """
    parts = images.split(batch or _batch(256, images.shape[-1]))
    means = [model.encode(to_signed(part.to(model.device))).latent_dist.mean for part in parts]
    return torch.cat(means) * (model.config.scaling_factor if scaled else 1.0)


@torch.no_grad()
def decode(
    model: AutoencoderKL, latents: Tensor, batch: int | None = None, tally: Tally | None = None
) -> Tensor:
    """Images of scaled latents (n, c, h, w): (n, 3, H, W) uint8 on the CPU.

    In calls of ``batch`` latents (64, or fewer of large images), the last one filled up
    with zeros: an image then does not depend on the number of those beside it. ``tally`` counts
    colours that are clipped. Raises ``FloatingPointError`` with the image that is not finite.
    """
    scale = model.config.scaling_factor
    levels = len(model.config.block_out_channels)
    size = batch or _batch(64, latents.shape[-1] * 2 ** (levels - 1))
    images, tally = [], tally or Tally()
    for first, part in zip(range(0, len(latents), size), latents.split(size), strict=True):
        full = torch.cat([part, part.new_zeros(size - len(part), *part.shape[1:])])
        decoded = model.decode(full.to(model.device) / scale).sample[: len(part)]
        finite = decoded.flatten(1).isfinite().all(1).tolist()
        if not all(finite):
            raise FloatingPointError(
                f"decoding: image {first + finite.index(False)} of {len(latents)} is not finite"
            )
        clipped = (decoded.abs() > 1 + HALF_LEVEL).sum()
        tally.add("pixels_clipped", clipped, decoded.numel())
        images.append(to_bytes(decoded).cpu())
    return torch.cat(images)


def reconstructed(model: AutoencoderKL, latents: np.ndarray) -> Tensor:
    """What the autoencoder makes of all images of a folder of latents: (n, 3, H, W) uint8.

    latents: (n, views, c, h, w), scaled posterior means (``datasets.latents``), which may lie on
    disk; of the views the first, which is not mirrored.
    """
    starts = range(0, len(latents), READ_AT_ONCE)
    parts = (torch.from_numpy(np.array(latents[i : i + READ_AT_ONCE, 0])) for i in starts)
    total = -(-len(latents) // READ_AT_ONCE)
    return torch.cat([decode(model, z) for z in progress(parts, "decoding", total, "batch")])


def reconstruction_quality(
    model: AutoencoderKL, index: ImageIndex, size: int, threads: int
) -> dict:
    """How near images come back from their posterior means, as bytes, and how small these are.

    ``squared_error``: by part (train, val), a mean over the colours of at most ``MOST_MEASURED``
    images of ``size`` px, evenly spaced, whose range is 2 (-1 to 1); None of a part without
    images. ``latent_dim``: numbers of a latent. ``held``: colours that were clipped
    (``runtime.tally``).
    """
    errors: dict[str, float | None] = dict.fromkeys(("train", "val"))
    tally = Tally()
    latent_dim = 0
    for part in errors:
        squares, count = 0, 0
        rows = index.spaced(part, MOST_MEASURED)
        for pixels in index.batches(part, size, READ_AT_ONCE, threads, rows):
            images = torch.from_numpy(pixels)
            latents = encode(model, images)
            off = decode(model, latents, tally=tally).int() - images.int()
            squares, count = squares + int(off.square().sum()), count + off.numel()
            latent_dim = latents[0].numel()
        if count:
            errors[part] = squares / count / 127.5**2
    tally.tell("autoencoder")
    return {"squared_error": errors, "latent_dim": latent_dim, "held": tally.counts()}


def decoder_of(model: AutoencoderKL) -> Callable[[Tensor], Tensor]:
    """A function from scaled latents (n, c, h, w) to images (n, 3, H, W) in about [-1, 1].

    Differentiable, where gradients are enabled; neither clamped nor rounded.
    """
    return lambda latents: model.decode(latents / model.config.scaling_factor).sample


def load_autoencoder(folder: Path, device: object = "cpu") -> AutoencoderKL:
    """Load an autoencoder saved by ``save_model``."""
    return load_model(AutoencoderKL, Path(folder)).to(device)
