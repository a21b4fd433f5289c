"""Study files, each laid over the default."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from snakemake.cli import parse_config

from lighthouse.check import study_of
from lighthouse.config.load import load_study
from lighthouse.config.reader import check_files, check_words, laid_over
from lighthouse.config.schema import ConfigError
from repository import ROOT
from shipped import SHIPPED


def told(entry: Mapping, folder: Path) -> str:
    """What is said of a ``study``, a text, with ``repeated`` and ``behind`` after it.

    json, hex: a file of JSON or of such bytes instead. words: those behind ``--config`` instead;
    arguments: all of Snakemake's. run: by a run, which has read the file before.
    """
    with pytest.raises(ConfigError) as error:
        if "arguments" in entry:
            check_words(entry["arguments"])
        if "words" in entry:
            load_study(laid_over(SHIPPED, parse_config(entry["words"])), ROOT)
        path = folder / ("study.json" if "json" in entry else "study.yaml")
        write(entry, path)
        look = check_files if entry.get("run") else study_of
        look([path])
    return str(error.value)


def write(entry: Mapping, path: Path) -> None:
    """Make the file that an entry says; none where it says none."""
    if "hex" in entry:
        path.write_bytes(bytes.fromhex(entry["hex"]))
    elif "json" in entry or "study" in entry:
        more = entry.get("repeated", {"text": "", "times": 0})
        text = entry.get("json", entry.get("study")) + more["text"] * more["times"]
        text += entry.get("behind", "")
        path.write_text(text, encoding="utf-8")
