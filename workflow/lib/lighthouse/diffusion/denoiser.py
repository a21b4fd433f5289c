"""diffusers' DiTTransformer2DModel as a noise predictor ε_θ(z_t, t, c)."""

from collections.abc import Mapping
from pathlib import Path

from diffusers import DiTTransformer2DModel
from torch import Tensor, nn


def new_denoiser(
    options: Mapping, channels: int, side: int, n_classes: int
) -> DiTTransformer2DModel:
    """An untrained DiT for latents (channels, side, side).

    It predicts noise alone (no learned variance). In eval mode, since its only
    dropout is that of labels, which diffusers draws apart in every block: the
    training loop drops labels itself, once an image.
    """
    model = DiTTransformer2DModel(
        num_attention_heads=options["heads"],
        attention_head_dim=options["head_dim"],
        in_channels=channels,
        out_channels=channels,
        num_layers=options["layers"],
        sample_size=side,
        patch_size=options["patch_size"],
        num_embeds_ada_norm=n_classes,
        norm_type="ada_norm_zero",
    )
    # adaLN-Zero (Peebles and Xie 2023, §3.2): every block starts as the identity and the
    # output as zero. diffusers leaves it to the weights it loads.
    modulations = [block.norm1.linear for block in model.transformer_blocks]
    for layer in (*modulations, model.proj_out_1, model.proj_out_2):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    return model.eval()


def load_denoiser(folder: Path, device: object = "cpu") -> DiTTransformer2DModel:
    """Load a denoiser saved by ``autoencoder.save``."""
    return (
        DiTTransformer2DModel.from_pretrained(folder, use_safetensors=True, low_cpu_mem_usage=False)
        .to(device)
        .eval()
    )


def null_label(model: DiTTransformer2DModel) -> int:
    """The label that stands for no class."""
    return model.config.num_embeds_ada_norm


def predict_noise(model: DiTTransformer2DModel, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
    """ε̂ (n, c, h, w) of z_t (n, c, h, w) at steps t (n,) for labels (n,)."""
    return model(z, timestep=t, class_labels=labels).sample
