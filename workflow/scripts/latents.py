"""Rule `latents`: every training image's latent, and the class means."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.diffusion.autoencoder import encode, load_autoencoder  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

index = ImageIndex.read(job.input.index)
images = torch.from_numpy(index.images("train", job.params.image_size)).to(device())
labels = torch.from_numpy(index.labels("train"))
latents = encode(load_autoencoder(job.input.autoencoder, device()), images)
class_means = torch.stack([latents[labels == k].mean(0) for k in range(len(index.classes))])
write_tensors(
    job.output.latents,
    {"latents": latents, "labels": labels, "class_means": class_means},
    {"classes": index.classes, **provenance(threads=job.threads)},
)
job.done(f"{len(latents)} latents of {tuple(latents.shape[1:])} numbers, {len(class_means)} means")
