"""Presets: most of a study, which a study file names, and what it says itself lies over.

A config is the default's, over it that of the preset that the study's files name, and over both
these files. Snakemake lays it so in ``workflow/rules/common.smk``, all else here.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

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


def config_of(paths: Iterable[Path], base: str | Path) -> dict:
    """The config of some study files, the later over the earlier.

    Raises ``ConfigError`` with every mistake in any of them, each with its file and line.
    """
    given = read_studies(paths)
    config = read_studies([default_file(base), *preset_files(given, base)])
    return laid_over(config, given)
