"""Rule `gather`: the samples of a dataset whose classes were sampled by several jobs."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.diffusion.shards import gather, gather_costs  # noqa: E402
from lighthouse.runtime.files import read_about, read_json  # noqa: E402

classes = read_about(Path(job.input.means) / "means.safetensors")["classes"]
gather(job.input.latents, job.output.latents, classes)
gather(job.input.images, job.output.images, classes)
costs = [read_json(path) for path in job.input.costs]
job.done(f"{len(classes)} classes from {len(job.input.images)} jobs", **gather_costs(costs))
