"""Rule `external`: a finished distilled set from outside, as images and as latents."""

from pathlib import Path

from lighthouse.runtime.job import device, log, start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from lighthouse.datasets.external import (  # noqa: E402
    Way,
    class_folders,
    folders_for,
    numbered,
    problems,
    read_external,
    read_own_labels,
)
from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.datasets.soft_labels import agreement  # noqa: E402
from lighthouse.diffusion.autoencoder import encode, load_autoencoder  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.errors import DataError  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

full_float32()
seeds = list(job.params.seeds)
classes = ImageIndex.read(job.input.index).classes
autoencoder = load_autoencoder(job.input.autoencoder, device())


def encoded(images: np.ndarray) -> np.ndarray:
    """Latents of images (C, N, 3, H, W): (C, N, c, h, w)."""
    latents = encode(autoencoder, torch.from_numpy(images).flatten(0, 1)).cpu()
    return latents.unflatten(0, images.shape[:2]).numpy()


def make(cell: dict) -> dict:
    """Read, encode and write one set."""
    root, ipc, way = Path(cell["root"]), cell["ipc"], Way(**cell["way"])
    wrong = problems(root, ipc, classes, seeds, way)
    if wrong:
        raise DataError("\n".join(wrong))
    folders = folders_for(root, seeds)
    # A set that stands for several seeds is read, encoded and held once.
    images = {
        folder: read_external(folder, ipc, classes, job.params.image_size, job.threads, way)
        for folder in set(folders.values())
    }
    for words in filter(None, (numbered(folder, classes, way.order) for folder in images)):
        log.warning("%s", words)
    labels = {folder: read_own_labels(folder, ipc, classes, way) for folder in images if way.labels}
    for folder, found in labels.items():
        share = 100 * agreement(found)
        log.warning("%s: own labels, likeliest is the folder's class: %.0f %%", folder, share)
    latents = {folder: encoded(found) for folder, found in images.items()}
    about = {
        "stamp": cell["stamp"],
        "classes": classes,
        "sets": len(images),
        **provenance(method=cell["method"], root=str(root), seeds=seeds, tf32=False),
    }
    files = {cell["latents"]: latents, cell["images"]: images}
    if labels:
        files[cell["labels"]] = labels
    for path, values in files.items():
        write_tensors(path, {f"seed~{s}": values[folder] for s, folder in folders.items()}, about)
    # How each class is called there, set by set.
    called = {
        f"seed~{s}": class_folders(folder, classes, way.order) for s, folder in folders.items()
    }
    return {**job.cost(images=len(images) * len(classes) * ipc), "folders": called}


read = [job.input.index, job.input.autoencoder]
run_cells(job, job.params.cells, make, read)
