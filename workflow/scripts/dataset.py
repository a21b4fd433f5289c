"""Rule `dataset`: the images of a dataset and the index of its three parts."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets import PARTS, ImageIndex  # noqa: E402
from lighthouse.datasets.sources import SOURCES  # noqa: E402

source = SOURCES[job.params.source]
source.build(
    {
        "image_size": job.params.image_size,
        "parts": job.params.parts,
        "split_seed": job.params.split_seed,
    },
    Path(job.output.index).parent,
)
index = ImageIndex.read(job.output.index)
sizes = ", ".join(f"{len(index.labels(part))} {part}" for part in PARTS)
job.done(f"{len(index.classes)} classes: {sizes}; licence {source.licence}")
