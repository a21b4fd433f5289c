"""Rule `prior_images`: random real images and their reconstructions, to judge a prior by."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from lighthouse.coresets import Pool, random  # noqa: E402
from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.diffusion.autoencoder import decode, encode, load_autoencoder  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

full_float32()
index, seeds = ImageIndex.read(job.input.index), list(job.params.seeds)
labels = index.labels("train")
ipc = min(job.params.ipc, int(np.bincount(labels).min()))
chosen = random(Pool(job.wildcards.dataset, index.classes, labels), ipc, seeds)
# Each image is read once, in however many sets it is.
rows, places = np.unique(chosen, return_inverse=True)
images = torch.from_numpy(index.images("train", job.params.image_size, job.threads, rows))
model = load_autoencoder(job.input.autoencoder, device())
kinds = {"real": images, "reconstructed": decode(model, encode(model, images))}
about = {"classes": index.classes, **provenance(seeds=seeds)}
for kind, found in kinds.items():
    sets = zip(seeds, places.reshape(chosen.shape), strict=True)
    write_tensors(getattr(job.output, kind), {f"seed~{s}": found[own] for s, own in sets}, about)
job.done(f"{len(seeds)} sets of {ipc} real images a class, and their reconstructions")
