"""Pretrained denoisers and autoencoders: checked, and made our own."""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DiTTransformer2DModel
from torch import nn

from lighthouse.diffusion.denoiser import as_reference, check_frequencies, null_label
from lighthouse.diffusion.loading import FOLDERS, RECORD, load_model
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import YOURS
from lighthouse.runtime.files import read_json


def load_pretrained_denoiser(folder: Path, channels: int, side: int) -> DiTTransformer2DModel:
    """A pretrained DiT for latents (channels, side, side), in eval mode on the CPU.

    ``folder``: a model, or a pipeline whose ``transformer/`` is one. Its weights are taken
    as the reference's, whatever diffusers makes of them, as those of the hub are: see
    ``as_reference``. Raises ``DataError`` where it is for other latents, is no DiT, cannot
    be read, or is one of our own of other frequencies.
    """
    folder = _model_folder(folder, "denoiser")
    if (folder / RECORD).is_file():
        check_frequencies(folder, "Train it anew, or name another model")
    config = read_json(folder / "config.json", YOURS)
    allowed = {
        "norm_type": ("ada_norm_zero",),
        "in_channels": (channels,),
        "out_channels": (channels, 2 * channels),
        "sample_size": (side,),
    }
    wrong = [
        f"{key} is {config.get(key)!r} and not {' or '.join(map(repr, values))}"
        for key, values in allowed.items()
        if config.get(key) not in values
    ]
    if wrong:
        raise DataError(
            f"{folder} is no DiT for the dataset's latents of {channels}×{side}×{side} numbers: "
            + "; ".join(wrong)
        )
    return as_reference(load_model(DiTTransformer2DModel, folder, YOURS))


def load_pretrained_autoencoder(folder: Path) -> AutoencoderKL:
    """A pretrained autoencoder in eval mode on the CPU, with the scaling factor of its config.

    ``folder``: a model, or a pipeline whose ``vae/`` is one. Configs that name no
    scaling factor are Stable Diffusion's, 0.18215. Raises ``DataError`` where it
    cannot be read.
    """
    return load_model(AutoencoderKL, _model_folder(folder, "autoencoder"), YOURS)


def _model_folder(folder: Path, kind: str) -> Path:
    places = [Path(folder) / FOLDERS[kind], Path(folder)]
    for place in places:
        if (place / "config.json").is_file():
            return place
    raise DataError(f"{folder} holds no {kind}: no config.json there nor in {FOLDERS[kind]}/")


@torch.no_grad()
def adopt(model: DiTTransformer2DModel, rows: Sequence[int] | None, n_classes: int) -> None:
    """Give a pretrained DiT the labels of a dataset, 0…n_classes-1, and null after them.

    ``rows``: the pretrained label of each class. None: the classes are new, and each
    begins as the mean of all pretrained classes (ours). diffusers keeps a table of
    class embeddings in every block.
    """
    null = null_label(model)
    for block in model.transformer_blocks:
        embedder = block.norm1.emb.class_embedder
        table = embedder.embedding_table.weight
        if rows is None:
            classes = table[:null].mean(0, keepdim=True).expand(n_classes, -1)
        else:
            classes = table[list(rows)]
        kept = torch.cat([classes, table[null:]]).contiguous()
        embedder.embedding_table = nn.Embedding.from_pretrained(kept, freeze=False)
        embedder.num_classes = n_classes
    model.register_to_config(num_embeds_ada_norm=n_classes)
