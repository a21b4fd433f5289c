"""Rule `distilled`: distilled sets as PNG class folders that ImageFolder loads."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.export import write_class_folders  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays  # noqa: E402


def make(cell: dict) -> dict:
    """Write the folders of one cell."""
    ipc, path = cell["ipc"], cell["images"]
    sets = {key: images[:, :ipc] for key, images in read_arrays(path).items()}
    about = {**read_about(path), "dataset": job.wildcards.dataset, "ipc": ipc}
    write_class_folders(Path(cell["folder"]), sets, about)
    return {"folder": cell["folder"], "sets": len(sets)}


run_cells(job, job.params.cells, make)
