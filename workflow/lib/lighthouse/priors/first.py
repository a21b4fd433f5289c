"""The denoiser that a base prior starts from."""

from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import DiTTransformer2DModel

from lighthouse.datasets.labels import pretrained_labels
from lighthouse.datasets.latents import Latents
from lighthouse.diffusion.denoiser import new_denoiser
from lighthouse.diffusion.pretrained import adopt, load_pretrained_denoiser


def first_denoiser(
    options: Mapping, data: Latents, pretrained: Path | None, seed: int
) -> DiTTransformer2DModel:
    """A denoiser for a dataset's latents and for its labels 0…C-1, null = C.

    New where ``pretrained`` is None; else the model of that folder with the class
    embeddings of the dataset's ImageNet classes, or with new ones, as
    ``options["class_embeddings"]`` says. ``options``: those of ``denoiser``.
    """
    channels, side = data.latents.shape[2:4]
    classes = data.classes
    if pretrained is None:
        torch.manual_seed(seed)  # diffusers draws the initial weights from the global generator
        return new_denoiser(options, channels, side, len(classes))
    model = load_pretrained_denoiser(pretrained, channels, side)
    rows = pretrained_labels(classes) if options["class_embeddings"] == "imagenet" else None
    adopt(model, rows, len(classes))
    return model
