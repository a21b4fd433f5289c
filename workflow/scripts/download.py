"""Rule `download`: an archive of fastai's, verified and unpacked beside the record."""

from dataclasses import asdict
from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.fastai import EDITIONS, download  # noqa: E402
from lighthouse.datasets.labels import LICENCE  # noqa: E402
from lighthouse.runtime.files import write_json  # noqa: E402

name = job.wildcards.edition
folder = Path(job.output.record).with_suffix("")
verified = download(name, folder)
about = {"edition": name, **asdict(EDITIONS[name]), "verified": verified, "licence": LICENCE}
write_json(job.output.record, about)
job.done(f"{name} in {folder}; licence: {LICENCE}")
