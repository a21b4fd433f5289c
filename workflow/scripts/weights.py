"""Rule `weights`: the download of a file of pretrained weights."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.runtime.weights import WEIGHTS, fetch  # noqa: E402

weights = WEIGHTS[job.wildcards.name]
fetch(weights, Path(job.output.weights))
job.done(f"{weights.url} ({weights.licence})")
