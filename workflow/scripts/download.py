"""Rule `download`: an archive, verified and laid out as class folders beside the record."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.downloads import ARCHIVES, download  # noqa: E402
from lighthouse.runtime.files import write_json  # noqa: E402

name = job.wildcards.archive
archive, folder = ARCHIVES[name], Path(job.output.record).with_suffix("")
verified = download(archive, folder)
about = {key: getattr(archive, key) for key in ("url", "md5", "sha256", "licence")}
write_json(job.output.record, {"archive": name, **about, "verified": verified})
job.done(f"{name} in {folder}; licence: {archive.licence}")
