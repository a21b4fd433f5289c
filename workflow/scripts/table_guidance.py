"""Rule `table_guidance`: guidance weights as given and as applied, by cell."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.guidance import columns, guidance_row  # noqa: E402
from lighthouse.report.tables import write_table  # noqa: E402
from lighthouse.runtime.files import read_about  # noqa: E402

abouts = [None if path in job.params.absent else read_about(path) for path in job.input.latents]
rows = [guidance_row(*pair) for pair in zip(job.params.cells, abouts, strict=True)]
write_table(job.output.table, job.output.page, rows, columns())
job.done(f"guidance weights of {len(rows)} cells")
