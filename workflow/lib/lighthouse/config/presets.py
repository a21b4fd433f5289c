"""Presets: most of a study, which a study file names, and what it says itself lies over.

A config is the default's, over it that of the preset that the study's files name, and over both
these files. Snakemake lays it so in ``workflow/rules/common.smk``, all else here.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from lighthouse.config.reader import laid_over, read_studies

#: From the least that a machine must have to the most.
PRESETS = ("small", "medium", "large", "pretrained")


def default_file(base: str | Path) -> Path:
    """The config that all others are laid over. base: the repository."""
    return Path(base) / "config" / "config.yaml"


def preset_files(config: Mapping, base: str | Path) -> list[Path]:
    """The file of the preset that a config names, if there is such a one."""
    name = config.get("preset")
    known = isinstance(name, str) and name in PRESETS
    return [Path(base) / "config" / "presets" / f"{name}.yaml"] if known else []


def shipped_under(config: Mapping, base: str | Path) -> dict:
    """What a config is laid over: the default and, over it, the preset that the config names."""
    made: dict = {}
    for path in (default_file(base), *preset_files(config, base)):
        made = laid_over(made, yaml.load(path.read_text("utf-8"), yaml.CSafeLoader))
    return made


def over_shipped(config: Mapping, base: str | Path) -> dict:
    """A config laid over that."""
    return laid_over(shipped_under(config, base), config)


def config_of(paths: Iterable[Path], base: str | Path) -> dict:
    """The config of some study files, the later over the earlier.

    Raises ``ConfigError`` with every mistake in any of them, each with its file and line.
    """
    return over_shipped(read_studies(paths), base)
