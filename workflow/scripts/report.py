"""Rules `table_*` and `figure_*`, and `study_record`: an item of `report.items`."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.making import make  # noqa: E402

job.done(make(job.params.item))
