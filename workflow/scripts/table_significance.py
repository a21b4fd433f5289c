"""Rule `table_significance`: every method against the base, and the named pairs, seed by seed."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.significance import COLUMNS, significance_rows  # noqa: E402
from lighthouse.report.tables import write_table  # noqa: E402
from lighthouse.tables import read_rows  # noqa: E402

params = job.params
rows = significance_rows(
    read_rows(job.input.runs), params.cells, params.base, params.pairs, params.alpha
)
write_table(job.output.table, job.output.page, rows, COLUMNS)
job.done(f"{len(rows)} comparisons")
