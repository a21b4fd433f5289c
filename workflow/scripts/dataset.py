"""Rule `dataset`: the index of a dataset's three parts, and its images if they are nowhere yet."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.findings import of_index  # noqa: E402
from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.datasets.sources import SOURCES  # noqa: E402
from lighthouse.runtime.files import write_json  # noqa: E402
from lighthouse.runtime.job import log  # noqa: E402

source, options = SOURCES[job.params.source], job.params.options
folder = Path(job.output.index).parent
found = source.build(options, folder, job.threads)
(folder / "images").mkdir(exist_ok=True)  # stays empty where images are read in place
index = ImageIndex.read(job.output.index)
survey = found or of_index(index, options["image_size"])
write_json(job.output.survey, survey.record())
log.log(survey.weight(), "%s", survey.paragraph())
job.done(f"{len(index.classes)} classes; licence: {source.licence}")
