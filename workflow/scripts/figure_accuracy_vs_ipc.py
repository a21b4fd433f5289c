"""Rule `figure_accuracy_vs_ipc`: accuracy of every method against images per class."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import pandas as pd  # noqa: E402

from lighthouse.report.curve_figures import ipc_figure  # noqa: E402
from lighthouse.report.curves import by_ipc, left_out  # noqa: E402
from lighthouse.report.figures import save_figure  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

board = pd.read_csv(job.input.leaderboard)
data = by_ipc(board)
figure = ipc_figure(data, job.params.methods, left_out(board))
save_figure(figure, [job.output.pdf, job.output.png])
write_rows(job.output.csv, data.to_dict("records"))
job.done(f"accuracy of {data.method.nunique()} methods against IPC")
