"""Rule `pretrained`: a pretrained model's files from the hub, at a pinned commit."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.diffusion.pretrained import fetch_pretrained, folder_of  # noqa: E402
from lighthouse.runtime.files import write_json  # noqa: E402

repo, revision = job.wildcards.repo, job.wildcards.revision
fetched = fetch_pretrained(repo, revision, job.params.kinds, folder_of(job.output.record))
write_json(job.output.record, {"repo": repo, "revision": revision, "fetched": fetched})
job.done(f"{' and '.join(job.params.kinds)} {repo} at {revision}")
