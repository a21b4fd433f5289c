"""Rule `table_accuracy`: accuracy of students by cell, over seeds."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.tables import accuracy_row, write_table  # noqa: E402

rows = [
    accuracy_row(row["cell"], row["student"], row["protocol"], path)
    for row, path in zip(job.params.rows, job.input.records, strict=True)
]
write_table(job.output.table, job.output.page, rows)
job.done(f"{len(rows)} rows of accuracy")
