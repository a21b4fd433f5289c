"""Rule `table_ablation`: what each part of the method adds."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.ablation import ablation_rows, columns  # noqa: E402
from lighthouse.report.tables import read_rows, write_table  # noqa: E402

params = job.params
runs, diversity = read_rows(job.input.runs), read_rows(job.input.diversity)
rows = ablation_rows(runs, diversity, params.rows, params.students, params.alpha)
write_table(job.output.table, job.output.page, rows, columns(params.rows))
job.done(f"{len(rows)} rows of the ablation")
