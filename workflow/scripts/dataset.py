"""Rule `dataset`: the index of a dataset's three parts, and its images if they are nowhere yet."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.index import PARTS, ImageIndex  # noqa: E402
from lighthouse.datasets.sources import SOURCES  # noqa: E402

source = SOURCES[job.params.source]
folder = Path(job.output.index).parent
source.build(job.params.options, folder, job.threads)
(folder / "images").mkdir(exist_ok=True)  # stays empty where images are read in place
index = ImageIndex.read(job.output.index)
sizes = ", ".join(f"{len(index.labels(part))} {part}" for part in PARTS)
job.done(f"{len(index.classes)} classes: {sizes}; licence: {source.licence}")
