"""Models in diffusers' format on disk: a folder with all of their weights, and no others."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten

import torch
from diffusers import ModelMixin
from torch import nn

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import reading, remove, unreadable
from lighthouse.runtime.files import opened, read_json, whole, write_json

#: The record of how a model was made, beside its weights.
RECORD = "lighthouse.json"
#: Where a diffusers pipeline keeps a model of each kind.
FOLDERS = {"denoiser": "transformer", "autoencoder": "vae"}
#: Names of a model's weights, the preferred first. The second is a pickle, of which
#: nothing but tensors is ever read.
WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
CONFIG = "config.json"
#: Entries of a config by which diffusers or others load more than the model's own code.
FOREIGN = ("quantization_config", "auto_map")
#: The largest whole number in a config, and the largest count of layers: any model's are smaller.
LARGEST, MOST_LAYERS = 2**16, 1000


def save_model(model: nn.Module, folder: Path, about: Mapping) -> None:
    """Save a diffusers model (config and safetensors) with its record, whole or not at all."""
    with whole(folder) as beside:
        model.save_pretrained(beside, safe_serialization=True)
        write_json(beside / RECORD, about)


def bytes_of(folder: Path) -> int:
    """Bytes of a saved model's weights."""
    paths = (Path(folder, name) for name in WEIGHTS)
    return sum(path.stat().st_size for path in paths if path.is_file())


def load_model(kind: type[ModelMixin], folder: Path, advice: str | None = None) -> ModelMixin:
    """A model in eval mode on the CPU.

    advice: what to do where the folder cannot be read; to remove it, where it is ours.
    Raises ``DataError`` then, and where it holds a weight too many, too few or of another
    shape, which diffusers would draw anew or leave out. The config cannot name code: the
    class is ``kind``.
    """
    advice = advice or remove(folder)
    present = [name for name in WEIGHTS if (folder / name).is_file()]
    if not present:
        raise DataError(f"{folder} holds no weights: neither {WEIGHTS[0]} nor {WEIGHTS[1]}")
    _check_config(kind, folder, folder / present[0], advice)
    if present[0] == WEIGHTS[0]:
        with opened(folder / present[0], advice=advice):
            pass  # diffusers would not say what is wrong with it
    with reading(folder / present[0], advice):
        # Of a .bin, diffusers reads tensors alone (torch.load with weights_only).
        model, report = kind.from_pretrained(
            folder,
            use_safetensors=present[0] == WEIGHTS[0],
            low_cpu_mem_usage=False,
            output_loading_info=True,
        )
    # Constants that the model computes itself may lie in an old file.
    computed = {name for name, _ in model.named_buffers()}
    report["unexpected_keys"] = [k for k in report["unexpected_keys"] if k not in computed]
    strange = {name: sorted(found, key=str) for name, found in report.items() if found}
    if strange:
        words = shorten(str(strange), 300)
        raise DataError(f"{folder / present[0]} does not fit {folder / CONFIG}: {words}")
    return model.eval()


def _check_config(kind: type[ModelMixin], folder: Path, weights: Path, advice: str) -> None:
    """Raise ``DataError`` at a config that cannot be read, or of which no such model is made.

    Or one that asks for more numbers than the weights can be. The model is made without numbers
    to find out: what a config asks for takes no memory before that is known.
    """
    path = folder / CONFIG
    config = read_json(path, advice)
    if foreign := [key for key in FOREIGN if config.get(key)]:
        raise DataError(f"{path} has {', '.join(foreign)}: only a model's own code is loaded")
    with reading(path, advice):
        for key, value in config.items():
            _check_numbers(key, value)
        try:
            with torch.device("meta"):
                model = kind.from_config({**config})
        except Exception as error:  # of whatever the model's code comes upon
            raise ValueError(f"no {kind.__name__} is made of it: {error}") from error
    asked = sum(parameter.numel() for parameter in model.parameters())
    size = weights.stat().st_size
    if asked > size:  # each takes a byte at least
        reason = f"{size} bytes cannot be the {asked} numbers that {CONFIG} asks for"
        raise DataError(unreadable(weights, reason, advice))


def _check_numbers(key: str, value: object) -> None:
    most = MOST_LAYERS if "layers" in key else LARGEST
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, int) and not 0 <= number <= most:
            raise ValueError(f"its {key} is {value}; allowed: 0 to {most}")
