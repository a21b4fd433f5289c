"""Files of weights and folders of models, of which each reader is given a spoilt one."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from torchvision.models import squeezenet1_0

from lighthouse.diffusion.autoencoder import load_autoencoder, new_autoencoder
from lighthouse.diffusion.loading import save_model
from lighthouse.diffusion.pretrained import load_pretrained_autoencoder, load_pretrained_denoiser
from lighthouse.metrics.pretrained import SqueezeNet, read_weights
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import write_tensors
from lighthouse.students.networks import NETWORKS
from lighthouse.students.teacher import load_teacher, pretrained_teacher, write_teacher
from wrong.spoiling import spoil

NETWORK = {"network": "convnet", "depth": 1, "width": 4}
TINY = {
    "block_out_channels": [4, 4],
    "latent_channels": 2,
    "layers_per_block": 1,
    "norm_num_groups": 2,
}


def told(entry: Mapping, folder: Path) -> str:
    """What the reader ``of`` something says of it, spoilt, or of a config with other ``config``."""
    path = folder / entry.get("file", "model")
    make, read = READERS[entry["of"]]
    make(path)
    spoil(folder, entry.get("spoil", ()))
    if "config" in entry:
        config = path / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), **entry["config"]}))
    for name in entry.get("without", ()):
        config = json.loads((path / "config.json").read_text())
        del config[name]
        (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError) as error:
        read(path)
    assert not (folder / "ran").exists()
    return str(error.value)


def _network(classes: int = 2) -> torch.nn.Module:
    return NETWORKS[NETWORK["network"]](NETWORK, 8, classes)


def _state(path: Path, classes: int = 2) -> None:
    if path.suffix == ".safetensors":
        write_tensors(path, _network(classes).state_dict(), {})
    else:
        torch.save(_network(classes).state_dict(), path)


def _extractor(path: Path) -> None:
    write_tensors(path, squeezenet1_0().state_dict(), {})


def _teacher(path: Path) -> None:
    pretrained_teacher(NETWORK, path, ["a", "b"], 8)


@cache
def _autoencoder() -> AutoencoderKL:
    return new_autoencoder(TINY, 16)


def _model(path: Path) -> None:
    save_model(_autoencoder(), path, {"frequencies": "x"})


#: By what is read: how a right one is made, and its reader.
READERS: dict[str, tuple[Callable, Callable]] = {
    "a teacher": (_state, _teacher),
    "a teacher of 1000 classes": (lambda path: _state(path, 1000), _teacher),
    "a teacher of ours": (
        lambda path: write_teacher(path, _network(), NETWORK, 8, 2),
        load_teacher,
    ),
    "an extractor": (_state, lambda path: read_weights(path, SqueezeNet)),
    "SqueezeNet": (_extractor, lambda path: read_weights(path, SqueezeNet)),
    "a model": (_model, load_pretrained_autoencoder),
    "a model of ours": (_model, load_autoencoder),
    "a denoiser": (_model, lambda path: load_pretrained_denoiser(path, 4, 4)),
}
