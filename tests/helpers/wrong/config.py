"""Study files, each laid over the default."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from lighthouse.config.load import load_study
from lighthouse.config.schema import ConfigError
from repository import ROOT
from shipped import changed


def told(entry: Mapping, folder: Path) -> str:
    """What is said of the text of a ``study``."""
    config = changed("study", "wrong")
    update_config(config, yaml.safe_load(entry["study"]))
    with pytest.raises(ConfigError) as error:
        load_study(config, ROOT)
    return str(error.value)
