"""Models of the hub, in the paper's study and on disk."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from lighthouse.config.disk import missing
from lighthouse.config.load import load_study
from lighthouse.config.schema import ConfigError
from lighthouse.diffusion.hub import fetch_pretrained, model_at
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import write_json
from repository import ROOT
from shipped import DEFAULT, changed

AUTOENCODER = "datasets.imagenette-ilsvrc.autoencoder"
VAE = "stabilityai/sd-vae-ft-mse"
COMMIT = "31f26fdeee1355a5c34592e401dd41e45d25a493"


def told(entry: Mapping, folder: Path) -> str:
    """What is said of an ``autoencoder`` of the paper's study, or of a folder of ``files``.

    files: those of a repository at a commit. recorded: the same when they were fetched. Without
    it they are put by hand.
    """
    if "autoencoder" in entry:
        return _of_config(entry["autoencoder"])
    for name, text in entry["files"].items():
        (folder / COMMIT / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / COMMIT / name).write_text(text)
    with pytest.raises(DataError) as error:
        if "recorded" in entry:
            write_json(folder / f"{COMMIT}.json", entry["recorded"])
            model_at(folder / f"{COMMIT}.json")
        else:
            fetch_pretrained(VAE, COMMIT, ["autoencoder"], folder / COMMIT)
    return str(error.value)


def _of_config(given: Mapping) -> str:
    config = changed("study", "wrong", DEFAULT)
    update_config(config, yaml.safe_load((ROOT / "config" / "paper.yaml").read_text("utf-8")))
    config = changed(AUTOENCODER, given, config)
    try:
        study = load_study(config, ROOT)
    except ConfigError as error:
        return str(error)
    (line,) = (line for line in missing(study) if line.startswith(AUTOENCODER))
    return line
