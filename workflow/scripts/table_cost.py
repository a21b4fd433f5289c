"""Rule `table_cost`: what each method costs, from the records of the jobs it needs."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.cost import COLUMNS, cost_row  # noqa: E402
from lighthouse.report.tables import write_table  # noqa: E402
from lighthouse.runtime.files import read_json  # noqa: E402

records = {path: read_json(path) for path in job.input.costs if path not in job.params.absent}
rows = [cost_row(row, records) for row in job.params.rows]
write_table(job.output.table, job.output.page, rows, COLUMNS)
job.done(f"costs of {len(rows)} sets")
