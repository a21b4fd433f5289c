"""Whether a prior that lies on disk is the one that is asked for."""

from collections.abc import Iterable
from pathlib import Path

from lighthouse.runtime.cells import recorded

#: Snakemake's, in each folder that a job made: when that was.
TIMESTAMP = ".snakemake_timestamp"


def is_trained(cost: str | Path, asked: str, inputs: Iterable[str | Path]) -> bool:
    """Whether the record of a training's cost is of what is asked, and of inputs as they are.

    asked: a digest of all that the training is told, which its record holds. inputs: the folders
    that it read; none may be missing, or be newer than the record.
    """
    if (recorded(cost) or {}).get("asked") != asked:
        return False
    made = Path(cost).stat().st_mtime_ns
    stamps = [Path(folder, TIMESTAMP) for folder in inputs]
    return all(stamp.is_file() and stamp.stat().st_mtime_ns <= made for stamp in stamps)
