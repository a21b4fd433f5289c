"""A study of three jobs, without Snakemake: what they write, as runs that begin and end."""

import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from lighthouse.manifest import begin, enter, makers_of

#: What a manifest says of its run.
ABOUT = {"study": "toy", "arguments": ["--configfile", "toy.yaml"]}
#: A table, a prior's folder, and the sets of a cell with the record of their job.
TABLE, WEIGHTS = "tables/cost.csv", "priors/base/weights.bin"
SETS, CELL, BATCH = "samples/dit/images.bin", "samples/dit/record.json", "batches/dit.json"
RESULTS = {TABLE: b"a,b\n1,2\n", WEIGHTS: b"weights", SETS: b"sets", CELL: b"{}", BATCH: b"{}"}


def job(*outputs, cells=(), temporary=()):
    """A job as Snakemake has it."""
    return SimpleNamespace(output=outputs, params={"cells": cells}, temp_output=temporary)


JOBS = [
    job(f"results/{TABLE}"),
    job("results/priors/base", "results/costs/base.json"),
    job(
        f"results/{BATCH}",
        cells=[{"record": f"results/{CELL}", "files": [f"results/{SETS}"]}],
    ),
]


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write files, at a time that no other has."""
    time.sleep(0.02)  # a file system's clock may tick a hundred times a second
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    time.sleep(0.02)


@contextmanager
def run(folder: Path, jobs=JOBS, whole=True):
    """A run; what is done within is its work. Yields a list, to which what it tells is added."""
    since = begin(folder)
    told = []
    yield told
    told.append(enter(folder, ABOUT, makers_of(jobs), whole, since))


def finished(folder: Path) -> Path:
    """The folder of results of a finished study."""
    results = folder / "results"
    with run(results):
        write(results, RESULTS)
    time.sleep(0.02)
    return results
