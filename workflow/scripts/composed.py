"""Rule `composed`: images that are put together of real ones, with their latents, cell by cell."""

from functools import partial

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.diffusion.autoencoder import encode, load_autoencoder  # noqa: E402
from lighthouse.mosaics import Sources  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.named import load  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.classifier import load_classifier  # noqa: E402

full_float32()
index = ImageIndex.read(job.input.index)
seeds, size = list(job.params.seeds), job.params.image_size
(classifier,) = job.input.classifier
autoencoder = load_autoencoder(job.input.autoencoder, device())
sources = partial(
    Sources,
    job.wildcards.dataset,
    index.classes,
    index.labels("train"),
    partial(index.images, "train", size, job.threads),
    load_classifier(classifier, device()),
)


def make(cell: dict) -> dict:
    """Compose, encode and write the images of one cell."""
    made = load(cell["choose"])(sources(cell["options"]), cell["ipc"], seeds)
    latents = encode(autoencoder, torch.from_numpy(made.images).flatten(0, 2)).cpu()
    about = {
        "stamp": cell["stamp"],
        "classes": index.classes,
        **provenance(
            method=cell["method"],
            coreset=cell["coreset"],
            seeds=seeds,
            tf32=False,
            **{cell["coreset"]: cell["options"]},
        ),
    }
    shape = made.images.shape[:3]
    for path, values in (
        (cell["latents"], latents.unflatten(0, shape).numpy()),
        (cell["images"], made.images),
    ):
        write_tensors(path, {f"seed~{s}": own for s, own in zip(seeds, values, strict=True)}, about)
    rows, places = np.unique(made.sources, return_inverse=True)
    names = np.array(index.names("train", rows, job.params.root), dtype=object)
    behind = names[places.reshape(made.sources.shape)]
    files = {f"seed~{s}": own.tolist() for s, own in zip(seeds, behind, strict=True)}
    return {**job.cost(images=latents.shape[0], scored=made.scored), "chosen": files}


read = [job.input.index, job.input.autoencoder, classifier]
run_cells(job, job.params.cells, make, read)
