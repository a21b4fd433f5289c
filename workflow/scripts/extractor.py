"""Rule `extractor`: the network whose features the metrics use, trained or pretrained."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.datasets.real import RealImages  # noqa: E402
from lighthouse.metrics.features import make_extractor  # noqa: E402

options = job.params.extractor
real = RealImages(
    ImageIndex.read(job.input.index),
    job.wildcards.dataset,
    job.params.image_size,
    job.params.images_per_class,
    job.threads,
)
weights = Path(job.input.weights[0]) if job.input.weights else None
make_extractor(options, real, weights, Path(job.output.weights), device())
job.done(f"extractor {options['name']} of kind {options['kind']}")
