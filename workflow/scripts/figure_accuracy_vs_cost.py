"""Rule `figure_accuracy_vs_cost`: accuracy of every method against seconds per image."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import pandas as pd  # noqa: E402

from lighthouse.report.curve_figures import cost_figure  # noqa: E402
from lighthouse.report.curves import by_cost, left_out  # noqa: E402
from lighthouse.report.figures import save_figure  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

board, cost = pd.read_csv(job.input.leaderboard), pd.read_csv(job.input.cost)
data, absent = by_cost(board, cost, job.params.ipc)
figure = cost_figure(data, job.params.methods, left_out(absent))
save_figure(figure, [job.output.pdf, job.output.png])
write_rows(job.output.csv, data.to_dict("records"))
job.done(f"accuracy of {data.method.nunique()} methods against seconds per image")
