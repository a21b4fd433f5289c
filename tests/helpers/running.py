"""Snakemake, as a user types it."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from repository import ROOT

#: Of ``run``, all that a study of random real images needs to be run with next to nothing else.
BARE = {
    "methods": ["random"],
    "only": [],
    "seeds": [0, 1],
    "student_seeds": [0],
    "ceiling": False,
    "claims": None,
    "comparisons": {"base": "random", "pairs": []},
    "ablation": None,
    "sweep": None,
    "strategies": None,
    "spectrum": {"ipc": 1, "curves": [{"source": "real", "method": "random"}]},
}


def bare_run(**run: object) -> str:
    """The text of such a study's ``run``, with what is its own."""
    return yaml.safe_dump({"run": {**BARE, **run}}, sort_keys=False)


def snakemake(
    *arguments: object, cwd: Path = ROOT, **environment: object
) -> subprocess.CompletedProcess:
    """What Snakemake says, both streams in one; started in the repository, or elsewhere."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **{key: str(value) for key, value in environment.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
