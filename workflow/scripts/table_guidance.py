"""Rule `table_guidance`: guidance weights as given and as applied, by cell."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.tables import GUIDANCE_COLUMNS, guidance_row, write_table  # noqa: E402
from lighthouse.runtime.files import read_about  # noqa: E402
from lighthouse.units import mean_pull  # noqa: E402

abouts = [None if path in job.params.absent else read_about(path) for path in job.input.latents]
rows = [
    guidance_row(cell, about, mean_pull(cell["mu_dm"], cell["ipc"]))
    for cell, about in zip(job.params.cells, abouts, strict=True)
]
write_table(job.output.table, job.output.page, rows, GUIDANCE_COLUMNS)
job.done(f"guidance weights of {len(rows)} cells")
