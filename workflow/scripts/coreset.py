"""Rule `coreset`: real images that stand for their class, with their latents, cell by cell."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402

from lighthouse.coresets import Pool  # noqa: E402
from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.datasets.latents import Latents  # noqa: E402
from lighthouse.runtime import rng  # noqa: E402, F401  torch loads before the clock runs
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import read_arrays, write_tensors  # noqa: E402
from lighthouse.runtime.named import load  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

index = ImageIndex.read(job.input.index)
seeds, size = list(job.params.seeds), job.params.image_size
# The rule names no file where no coreset needs one.
measured = read_arrays(*job.input.features) if job.input.features else {}
pool = Pool(
    job.wildcards.dataset,
    index.classes,
    index.labels("train"),
    measured.get("features"),
    measured.get("rows"),
    Latents(job.input.latents).latents,
)


def make(cell: dict) -> dict:
    """Choose and write the images of one cell."""
    chosen = load(cell["choose"])(pool, cell["ipc"], seeds)
    about = {
        "stamp": cell["stamp"],
        "classes": index.classes,
        **provenance(method=cell["method"], coreset=cell["coreset"], seeds=seeds),
    }
    # Each image is read once, in however many sets it is.
    rows, places = np.unique(chosen, return_inverse=True)
    places = places.reshape(chosen.shape)
    latents = pool.latents[rows, 0]
    images = index.images("train", size, job.threads, rows)
    for path, values in ((cell["latents"], latents), (cell["images"], images)):
        sets = {f"seed~{s}": values[mine] for s, mine in zip(seeds, places, strict=True)}
        write_tensors(path, sets, about)
    # What is the same under each seed was chosen once.
    different = len({one.tobytes() for one in chosen})
    names = np.array(index.names("train", rows, job.params.root), dtype=object)
    files = {f"seed~{s}": names[mine].tolist() for s, mine in zip(seeds, places, strict=True)}
    return {**job.cost(images=different * chosen[0].size), "chosen": files}


read = [job.input.index, f"{job.input.latents}/means.safetensors", *job.input.features]
run_cells(job, job.params.cells, make, read)
