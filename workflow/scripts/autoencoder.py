"""Rule `autoencoder`: a pretrained AutoencoderKL, or one trained on the real training part."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.diffusion.autoencoder import (  # noqa: E402
    reconstruction_quality,
    train_autoencoder,
)
from lighthouse.diffusion.hub import model_at  # noqa: E402
from lighthouse.diffusion.loading import save_model  # noqa: E402
from lighthouse.diffusion.pretrained import load_pretrained_autoencoder  # noqa: E402
from lighthouse.runtime.cells import checkpoint_of  # noqa: E402
from lighthouse.runtime.named import load  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

SEED = 0
output, size = Path(job.output.model), job.params.image_size
index, options = ImageIndex.read(job.input.index), dict(job.params.options)
full_float32()
job.work_begins()
record = {"losses": {}, "trainable_parameters": 0, "steps": 0, "held": {}}
if "pretrained" in options:
    model = load_pretrained_autoencoder(*map(model_at, job.input.pretrained))
    about = provenance(**options)
else:
    perceptual = next(
        (load(job.params.distance)(path, device()) for path in job.input.extractor), None
    )
    images = index.images("train", size)
    model, record = train_autoencoder(
        torch.from_numpy(images).to(device()),
        options,
        SEED,
        checkpoint=checkpoint_of(output),
        checkpoint_seconds=job.params.checkpoint_seconds,
        perceptual=perceptual,
    )
    about = provenance(**options, seed=SEED, threads=job.threads, tf32=False)
quality = reconstruction_quality(model.to(device()), index, size, job.threads)
record |= quality | {"held": record["held"] | quality["held"]}
save_model(model, output, {**record, **about})
job.done(f"autoencoder of {sum(p.numel() for p in model.parameters()):,} parameters", **record)
