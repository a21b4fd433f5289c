"""Rule `extractor_weights`: the download of a pretrained extractor's weights."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.metrics.weights import WEIGHTS, fetch  # noqa: E402

weights = WEIGHTS[job.wildcards.kind]
fetch(weights, Path(job.output.weights))
job.done(f"{weights.url} ({weights.licence})")
