"""Rule `table_accuracy`: every training, and accuracy of students by cell."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report import accuracy  # noqa: E402
from lighthouse.report.tables import write_table  # noqa: E402
from lighthouse.runtime.files import read_json  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

records = [
    (row, None if path in job.params.absent else read_json(path))
    for row, path in zip(job.params.rows, job.input.records, strict=True)
]
runs = [run for row, record in records for run in accuracy.run_rows(row, record)]
rows = [accuracy.accuracy_row(row, record) for row, record in records]
write_rows(job.output.runs, runs, accuracy.RUN_COLUMNS)
write_table(job.output.table, job.output.page, rows, accuracy.COLUMNS)
job.done(f"{len(rows)} rows of accuracy from {len(runs)} trainings")
