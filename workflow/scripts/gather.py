"""Rule `gather`: the samples of a dataset whose classes were sampled by several jobs.

Of a cell with a selection they are pools, of which it is chosen here, where all classes are.
"""

import time
from itertools import chain
from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402

from lighthouse.diffusion.shards import gather, gather_costs, together  # noqa: E402
from lighthouse.runtime.cells import content_digest, made_from, run_cells  # noqa: E402
from lighthouse.runtime.errors import DataError  # noqa: E402
from lighthouse.runtime.files import read_about, read_json  # noqa: E402
from lighthouse.selection.pool import kept  # noqa: E402

classes = read_about(Path(job.input.latents) / "means.safetensors")["classes"]

KINDS = ("latents", "images")


def chosen(cell: dict, seen: list[Path]) -> dict[str, np.ndarray]:
    """The positions that are kept under each seed, (C, N), by the name of its tensors."""
    names = [f"seed~{seed}" for seed in cell["seeds"]]
    seen_in = {
        look: np.stack([together(seen, f"{look}/{name}") for name in names])
        for look in cell["selection"]["looks"]
    }
    found = kept(cell, job.wildcards.dataset, classes, seen_in, job.input.features)
    return dict(zip(names, found, strict=True))


def make(cell: dict) -> dict:
    """Put one cell together, and remove its parts but for their records, by which they are done."""
    folders = [Path(folder) for folder in cell["shards"]]
    kinds = (*KINDS, "seen") if cell["selection"] else KINDS
    parts = {kind: [folder / f"{kind}.safetensors" for folder in folders] for kind in kinds}
    if not all(part.exists() for part in chain(*parts.values())):
        for path in cell["sources"]:
            Path(path).unlink()
        raise DataError("its shards were removed when they were gathered: they are sampled anew")
    records = [read_json(path) for path in cell["sources"]]
    began = time.monotonic()
    positions = chosen(cell, parts["seen"]) if cell["selection"] else None
    choosing = time.monotonic() - began
    for kind in KINDS:
        gather(parts[kind], cell[kind], classes, positions)
    for part in chain(*parts.values()):
        part.unlink()
    if positions is None:
        return gather_costs(records)
    named = {name: own.tolist() for name, own in positions.items()}
    return {**gather_costs(records, choosing), "kept": named}


# Of the real images' features the cells that choose alone are made.
looked = content_digest(job.input.features)
cells = [
    {**cell, "code": made_from(cell["code"], looked)} if cell["selection"] else cell
    for cell in job.params.cells
]
run_cells(job, cells, make)
