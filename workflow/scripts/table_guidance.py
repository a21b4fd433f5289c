"""Rule `table_guidance`: guidance weights as given and as applied, by cell."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.tables import guidance_row, write_table  # noqa: E402
from lighthouse.runtime.files import read_about  # noqa: E402
from lighthouse.units import mean_pull  # noqa: E402

rows = [
    guidance_row(cell, read_about(path), mean_pull(cell["mu_dm"], cell["ipc"]))
    for cell, path in zip(job.params.cells, job.input.latents, strict=True)
]
write_table(job.output.table, job.output.page, rows)
job.done(f"guidance weights of {len(rows)} cells")
