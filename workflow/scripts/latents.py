"""Rule `latents`: every training image's latent, and the class means."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.datasets.latents import Latents  # noqa: E402
from lighthouse.diffusion.autoencoder import load_autoencoder  # noqa: E402
from lighthouse.diffusion.encoding import encode_part  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402

full_float32()
encode_part(
    load_autoencoder(job.input.autoencoder, device()),
    Path(job.input.autoencoder),
    ImageIndex.read(job.input.index),
    Path(job.output.latents),
    image_size=job.params.image_size,
    flips=job.params.flips,
    batch=job.params.batch,
    threads=job.threads,
)
count, views, *shape = Latents(job.output.latents).latents.shape
job.done(f"latents of {count} images: {views} view(s) each of shape {tuple(shape)}")
