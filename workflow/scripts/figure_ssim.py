"""Rule `figure_ssim`: SSIM within a class against the DPP weight."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import pandas as pd  # noqa: E402

from lighthouse.report.curves import along, at_ipc  # noqa: E402
from lighthouse.report.figures import band, save_figure, ssim_curve  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

params = job.params
tables = pd.concat([pd.read_csv(path) for path in job.input.tables])
rows = along(at_ipc(tables, params.method, params.ipc), "eta_dpp", params.sweeps, params.table)
data = band(rows, ["dataset", "eta_dpp"], "ssim")
figure = ssim_curve(data, f"{params.method}, IPC {params.ipc}")
save_figure(figure, [job.output.pdf, job.output.png])
write_rows(job.output.csv, data.to_dict("records"))
job.done(f"SSIM at {data.eta_dpp.nunique()} weights, {data.n_seeds.min()} seeds")
