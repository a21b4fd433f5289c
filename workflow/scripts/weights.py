"""Rule `weights`: the download of a file of pretrained weights."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.runtime.weights import Weights, fetch  # noqa: E402

weights = Weights(**job.params.weights)
fetch(weights, Path(job.output.weights))
job.done(f"{weights.url} ({weights.licence})")
