"""Snakemake, as a user types it."""

import os
import subprocess
import sys
from pathlib import Path

from repository import ROOT


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
