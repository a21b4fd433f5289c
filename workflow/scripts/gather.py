"""Rule `gather`: the samples of a dataset whose classes were sampled by several jobs."""

from itertools import product
from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.diffusion.shards import gather, gather_costs  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.errors import DataError  # noqa: E402
from lighthouse.runtime.files import read_about, read_json  # noqa: E402

classes = read_about(Path(job.input.latents) / "means.safetensors")["classes"]

KINDS = ("latents", "images")


def make(cell: dict) -> dict:
    """Put one cell together, and remove its parts but for their records, by which they are done."""
    folders = [Path(folder) for folder in cell["shards"]]
    parts = [folder / f"{kind}.safetensors" for folder, kind in product(folders, KINDS)]
    if not all(part.exists() for part in parts):
        for path in cell["sources"]:
            Path(path).unlink()
        raise DataError("its shards were removed when they were gathered: they are sampled anew")
    records = [read_json(path) for path in cell["sources"]]
    for kind in KINDS:
        gather([folder / f"{kind}.safetensors" for folder in folders], cell[kind], classes)
    for part in parts:
        part.unlink()
    return gather_costs(records)


run_cells(job, job.params.cells, make)
