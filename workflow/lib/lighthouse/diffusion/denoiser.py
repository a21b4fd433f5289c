"""diffusers' DiTTransformer2DModel as a noise predictor ε_θ(z_t, t, c)."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from lighthouse.diffusion.library import DiTTransformer2DModel


def new_denoiser(
    options: Mapping, channels: int, side: int, n_classes: int
) -> DiTTransformer2DModel:
    """An untrained DiT for latents (channels, side, side).

    ``options``: ``layers``, ``heads``, ``head_dim``, ``patch_size``, and
    ``learned_variance`` (off unless given): the variance of a step is predicted beside
    the noise, in as many channels again. In eval mode, since its only dropout is that
    of labels, which diffusers draws apart in every block: the training loop drops
    labels itself, once an image.
    """
    model = DiTTransformer2DModel(
        num_attention_heads=options["heads"],
        attention_head_dim=options["head_dim"],
        in_channels=channels,
        out_channels=2 * channels if options.get("learned_variance") else channels,
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


def has_learned_variance(model: DiTTransformer2DModel) -> bool:
    """Whether the model predicts the variance of a step beside the noise."""
    return model.config.out_channels == 2 * model.config.in_channels


def predict(model: DiTTransformer2DModel, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
    """What the model says of z_t (n, c, h, w) at steps t (n,) for labels (n,).

    ε̂, (n, c, h, w); with a learned variance ε̂ and then v, (n, 2c, h, w).
    """
    return model(z, timestep=t, class_labels=labels).sample
