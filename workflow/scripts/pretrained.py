"""Rule `pretrained`: a pretrained model's files from the hub, at a pinned commit."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.diffusion.hub import fetch_pretrained  # noqa: E402
from lighthouse.runtime.files import write_json  # noqa: E402

repo, revision = job.wildcards.repo, job.wildcards.revision
folder = Path(job.output.record).with_suffix("")
write_json(job.output.record, fetch_pretrained(repo, revision, job.params.kinds, folder))
job.done(f"{' and '.join(job.params.kinds)} {repo} at {revision}")
