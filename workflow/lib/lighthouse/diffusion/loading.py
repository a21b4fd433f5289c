"""Models in diffusers' format on disk: a folder with all of their weights, and no others."""

import pickle
from collections.abc import Mapping
from pathlib import Path

from diffusers import ModelMixin
from safetensors import SafetensorError
from torch import nn

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import whole, write_json

#: The record of how a model was made, beside its weights.
RECORD = "lighthouse.json"
#: Where a diffusers pipeline keeps a model of each kind.
FOLDERS = {"denoiser": "transformer", "autoencoder": "vae"}
#: Names of a model's weights, the preferred first. The second is a pickle, of which
#: nothing but tensors is ever read.
WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")


def save_model(model: nn.Module, folder: Path, about: Mapping) -> None:
    """Save a diffusers model (config and safetensors) with its record, whole or not at all."""
    with whole(folder) as beside:
        model.save_pretrained(beside, safe_serialization=True)
        write_json(beside / RECORD, about)


def load_model(kind: type[ModelMixin], folder: Path) -> ModelMixin:
    """A model in eval mode on the CPU.

    Raises ``DataError`` where the folder cannot be read, or holds a weight too many, too few
    or of another shape, which diffusers would draw anew or leave out.
    """
    present = [name for name in WEIGHTS if (folder / name).is_file()]
    if not present:
        raise DataError(f"{folder} holds no weights: neither {WEIGHTS[0]} nor {WEIGHTS[1]}")
    try:
        # Of a .bin, diffusers reads tensors alone (torch.load with weights_only).
        model, report = kind.from_pretrained(
            folder,
            use_safetensors=present[0] == WEIGHTS[0],
            low_cpu_mem_usage=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise DataError(f"{folder / present[0]} cannot be read: {error}") from error
    # Constants that the model computes itself may lie in an old file.
    computed = {name for name, _ in model.named_buffers()}
    report["unexpected_keys"] = [k for k in report["unexpected_keys"] if k not in computed]
    strange = {name: found for name, found in report.items() if found}
    if strange:
        raise DataError(f"{folder / present[0]} does not fit {folder / 'config.json'}: {strange}")
    return model.eval()
