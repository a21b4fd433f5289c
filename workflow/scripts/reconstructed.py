"""Rule `reconstructed`: all real training images as the autoencoder gives them back."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.datasets.latents import Latents  # noqa: E402
from lighthouse.diffusion.autoencoder import load_autoencoder, reconstructed  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.limits import check_size  # noqa: E402

full_float32()
data = Latents(job.input.latents)
check_size(len(data.labels), "a ceiling", "leave it out: `run.reconstructed: false`")
images = reconstructed(load_autoencoder(job.input.autoencoder, device()), data.latents)
write_tensors(job.output.images, {"images": images}, provenance())
job.done(f"{len(images)} images reconstructed")
