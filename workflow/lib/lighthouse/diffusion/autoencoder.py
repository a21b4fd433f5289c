"""diffusers' AutoencoderKL: trained in a small size, and used in batches."""

from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from lighthouse.runtime.files import whole, write_json
from lighthouse.runtime.finite import check_loss
from lighthouse.runtime.job import log, progress
from lighthouse.runtime.rng import generator

#: The record of how a model was made, beside its weights.
RECORD = "lighthouse.json"


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


def train_autoencoder(images: Tensor, options: Mapping, seed: int) -> AutoencoderKL:
    """Train on real images and set the scaling factor.

    ``images``: (n, 3, H, W) uint8. Loss: squared error + kl_weight · KL, both means
    over elements. The scaling factor is one over the standard deviation of the
    training latents, as latent diffusion does. Raises ``FloatingPointError`` at a
    loss that is not finite.
    """
    device = images.device
    torch.manual_seed(seed)  # diffusers draws the initial weights from the global generator
    model = new_autoencoder(options, images.shape[-1]).to(device)
    rng = generator("autoencoder", seed)
    steps = options["steps"]
    optimizer = torch.optim.AdamW(model.parameters(), options["learning_rate"], weight_decay=0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options["learning_rate"], steps)
    for step in progress(range(steps), "autoencoder"):
        chosen = torch.randint(len(images), (options["batch_size"],), generator=rng)
        batch = to_signed(images[chosen.to(device)])
        posterior = model.encode(batch).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=rng).to(device)
        decoded = model.decode(posterior.mean + posterior.std * noise).sample
        error = (decoded - batch).square().mean()
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        loss = error + options["kl_weight"] * kl
        check_loss(loss, decoded, chosen, f"autoencoder, step {step}")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    mean = encode(model, images, scaled=False)
    model.register_to_config(scaling_factor=1 / mean.std().item())
    log.info(
        "autoencoder: squared error %.5f, latents' standard deviation %.2f",
        error.item(),
        mean.std().item(),
    )
    return model


@torch.no_grad()
def encode(model: AutoencoderKL, images: Tensor, batch: int = 256, scaled: bool = True) -> Tensor:
    """Posterior means of the latents, (n, c, h, w).

    ``images``: (n, 3, H, W) uint8. z₀ = scaling factor · latent unless ``scaled`` is off.
    """
    means = [model.encode(to_signed(part)).latent_dist.mean for part in images.split(batch)]
    return torch.cat(means) * (model.config.scaling_factor if scaled else 1.0)


@torch.no_grad()
def decode(model: AutoencoderKL, latents: Tensor, batch: int = 64) -> Tensor:
    """Images of scaled latents (n, c, h, w): (n, 3, H, W) uint8."""
    scale = model.config.scaling_factor
    return torch.cat([to_bytes(model.decode(z / scale).sample) for z in latents.split(batch)])


def save(model: nn.Module, folder: Path, about: Mapping) -> None:
    """Save a diffusers model (config and safetensors) with its record, whole or not at all."""
    with whole(folder) as beside:
        model.save_pretrained(beside, safe_serialization=True)
        write_json(beside / RECORD, about)


def load_autoencoder(folder: Path, device: object = "cpu") -> AutoencoderKL:
    """Load an autoencoder saved by ``save``."""
    return (
        AutoencoderKL.from_pretrained(folder, use_safetensors=True, low_cpu_mem_usage=False)
        .to(device)
        .eval()
    )
