"""Rule `external`: a finished distilled set from outside, as images and as latents."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from lighthouse.datasets.external import folders_for, problems, read_external  # noqa: E402
from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.diffusion.autoencoder import encode, load_autoencoder  # noqa: E402
from lighthouse.runtime.errors import DataError  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

full_float32()
root, ipc, seeds = Path(job.params.root), int(job.wildcards.ipc), list(job.params.seeds)
classes = ImageIndex.read(job.input.index).classes
wrong = problems(root, ipc, classes, seeds)
if wrong:
    raise DataError("\n".join(wrong))
folders = folders_for(root, seeds)
autoencoder = load_autoencoder(job.input.autoencoder, device())
job.work_begins()


def encoded(images: np.ndarray) -> np.ndarray:
    """Latents of images (C, N, 3, H, W): (C, N, c, h, w)."""
    latents = encode(autoencoder, torch.from_numpy(images).flatten(0, 1)).cpu()
    return latents.unflatten(0, images.shape[:2]).numpy()


# A set that stands for several seeds is read, encoded and held once.
images = {
    folder: read_external(folder, ipc, classes, job.params.image_size, job.threads)
    for folder in set(folders.values())
}
latents = {folder: encoded(found) for folder, found in images.items()}
about = {
    "classes": classes,
    "sets": len(images),
    **provenance(method=job.wildcards.method, root=str(root), seeds=seeds, tf32=False),
}
for path, values in ((job.output.latents, latents), (job.output.images, images)):
    write_tensors(path, {f"seed~{s}": values[folder] for s, folder in folders.items()}, about)
count = len(images) * len(classes) * ipc
job.done(f"{len(images)} external set(s) of {len(classes)} classes × {ipc} images", images=count)
