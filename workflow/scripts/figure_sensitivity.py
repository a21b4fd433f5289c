"""Rule `figure_sensitivity`: accuracy and coverage against one weight at a time."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import pandas as pd  # noqa: E402

from lighthouse.report.curve_figures import sensitivity_figure  # noqa: E402
from lighthouse.report.curves import at_ipc, sweep_left_out, sweep_rows  # noqa: E402
from lighthouse.report.figures import save_figure  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

params = job.params
runs, diversity = (
    at_ipc(pd.read_csv(path), params.method, params.ipc)
    for path in (job.input.runs, job.input.diversity)
)
data = sweep_rows(runs, diversity, params.sweeps, params.table)
title = f"{params.label}, {params.ipc} images per class"
figure = sensitivity_figure(data, params.axes, title, sweep_left_out(data))
save_figure(figure, [job.output.pdf, job.output.png])
write_rows(job.output.csv, data.to_dict("records"))
job.done(f"accuracy at {len(data)} points of {len(params.sweeps)} sweeps")
