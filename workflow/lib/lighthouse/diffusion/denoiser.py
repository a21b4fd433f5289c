"""diffusers' DiTTransformer2DModel as a noise predictor ε_θ(z_t, t, c)."""

from collections.abc import Mapping
from pathlib import Path

from diffusers import DiTTransformer2DModel
from torch import Tensor


def new_denoiser(
    options: Mapping, channels: int, side: int, n_classes: int
) -> DiTTransformer2DModel:
    """An untrained DiT for latents (channels, side, side).

    It predicts noise alone (no learned variance). In eval mode, since its only
    dropout is that of labels, which diffusers draws apart in every block: the
    training loop drops labels itself, once an image.
    """
    return DiTTransformer2DModel(
        num_attention_heads=options["heads"],
        attention_head_dim=options["head_dim"],
        in_channels=channels,
        out_channels=channels,
        num_layers=options["layers"],
        sample_size=side,
        patch_size=options["patch_size"],
        num_embeds_ada_norm=n_classes,
        norm_type="ada_norm_zero",
    ).eval()


def load_denoiser(folder: Path, device: object = "cpu") -> DiTTransformer2DModel:
    """Load a denoiser saved by ``autoencoder.save``."""
    return DiTTransformer2DModel.from_pretrained(folder, use_safetensors=True).to(device).eval()


def null_label(model: DiTTransformer2DModel) -> int:
    """The label that stands for no class."""
    return model.config.num_embeds_ada_norm


def predict_noise(model: DiTTransformer2DModel, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
    """ε̂ (n, c, h, w) of z_t (n, c, h, w) at steps t (n,) for labels (n,)."""
    return model(z, timestep=t, class_labels=labels).sample
