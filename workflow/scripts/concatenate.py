"""Rules `table_*` that put the rows of several CSV files into one."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.tables import write_table  # noqa: E402
from lighthouse.tables import concatenate  # noqa: E402

rows = concatenate(job.input.parts, job.params.names, job.params.absent)
write_table(job.output.table, job.output.page, rows)
job.done(f"{len(rows)} rows from {len(job.input.parts)} files")
