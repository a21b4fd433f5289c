"""Rule `pretrained`: a pretrained model's files from the hub, at a pinned commit."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.diffusion.pretrained import fetch_pretrained  # noqa: E402

repo, revision = job.wildcards.repo, job.wildcards.revision
fetch_pretrained(repo, revision, job.params.kinds, Path(job.output.folder))
job.done(f"{' and '.join(job.params.kinds)} {repo} at {revision}")
