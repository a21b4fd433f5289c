"""Rule `features`: the real images' features, which diversity and distances compare with."""

from pathlib import Path

from lighthouse.runtime.job import device, progress, start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.datasets.real import BATCH, RealImages  # noqa: E402
from lighthouse.metrics.features import load_extractor  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

extractor = load_extractor(Path(job.input.extractor), device())
real = RealImages(
    ImageIndex.read(job.input.index),
    job.wildcards.dataset,
    job.params.image_size,
    job.params.images_per_class,
    job.threads,
)
labels = real.labels("train")
batches = progress(real.batches("train"), "features", -(-len(labels) // BATCH), unit="batch")
features = np.concatenate([extractor.array(images) for images in batches])
about = provenance(extractor=extractor.name, images_per_class=real.per_class)
write_tensors(
    job.output.features,
    {"features": features, "labels": labels, "rows": real.rows("train")},
    {"classes": real.index.classes, **about},
)
job.done(f"{extractor.name}: {features.shape[1]} features of {len(features)} real images")
