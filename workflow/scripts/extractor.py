"""Rule `extractor`: the network whose features the metrics use."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.metrics.features import train_extractor  # noqa: E402
from lighthouse.students.trainer import Images  # noqa: E402

SEED = 0
index = ImageIndex.read(job.input.index)
train, val = (
    Images(
        torch.from_numpy(index.images(part, job.params.image_size)),
        torch.from_numpy(index.labels(part)),
    ).to(device())
    for part in ("train", "val")
)
extractor = job.params.extractor
score = train_extractor(
    train, val, extractor["name"], extractor["epochs"], SEED, Path(job.output.weights)
)
job.done(f"extractor {extractor['name']}, {100 * score:.1f} % right on val")
