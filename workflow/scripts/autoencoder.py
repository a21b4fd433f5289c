"""Rule `autoencoder`: an AutoencoderKL trained on the real training part."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.diffusion.autoencoder import save, train_autoencoder  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

SEED = 0
images = ImageIndex.read(job.input.index).images("train", job.params.image_size)
model = train_autoencoder(torch.from_numpy(images).to(device()), job.params.options, SEED)
about = provenance(**job.params.options, seed=SEED, threads=job.threads)
save(model, job.output.model, about)
job.done(f"autoencoder of {sum(p.numel() for p in model.parameters()):,} parameters")
