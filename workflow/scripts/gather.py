"""Rule `gather`: the samples of a dataset whose classes were sampled by several jobs."""

import shutil
from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.diffusion.shards import gather, gather_costs  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import read_about, read_json  # noqa: E402

classes = read_about(Path(job.input.latents) / "means.safetensors")["classes"]


def make(cell: dict) -> dict:
    """Put one cell together, and remove its parts."""
    folders = [Path(folder) for folder in cell["shards"]]
    records = [read_json(path) for path in cell["sources"]]
    for kind in ("latents", "images"):
        gather([folder / f"{kind}.safetensors" for folder in folders], cell[kind], classes)
    for folder in folders:
        shutil.rmtree(folder)
    return gather_costs(records)


run_cells(job, job.params.cells, job.params.code, make)
