"""Rule `autoencoder`: a pretrained AutoencoderKL, or one trained on the real training part."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.diffusion.autoencoder import train_autoencoder  # noqa: E402
from lighthouse.diffusion.loading import save_model  # noqa: E402
from lighthouse.diffusion.pretrained import folder_of, load_pretrained_autoencoder  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

SEED = 0
output = Path(job.output.model)
options = dict(job.params.options)
if "pretrained" in options:
    model = load_pretrained_autoencoder(*map(folder_of, job.input.pretrained))
    about = provenance(**options)
else:
    full_float32()
    images = ImageIndex.read(job.input.index).images("train", job.params.image_size)
    model = train_autoencoder(
        torch.from_numpy(images).to(device()),
        options,
        SEED,
        checkpoint=output.with_name(f"{output.name}.checkpoint"),
        checkpoint_seconds=job.params.checkpoint_seconds,
    )
    about = provenance(**options, seed=SEED, threads=job.threads, tf32=False)
save_model(model, output, about)
job.done(f"autoencoder of {sum(p.numel() for p in model.parameters()):,} parameters")
