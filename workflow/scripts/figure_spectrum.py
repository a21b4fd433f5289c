"""Rule `figure_spectrum`: normalised singular values of real and synthetic features."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import pandas as pd  # noqa: E402

from lighthouse.report.figures import band, save_figure, spectrum_figure  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

rows = pd.concat([pd.read_csv(path) for path in job.input.tables])
data = band(rows, ["dataset", "source", "index"], "normalised")
save_figure(spectrum_figure(data, job.params.sources), [job.output.pdf, job.output.png])
write_rows(job.output.csv, data.to_dict("records"))
job.done(f"spectra of {data.source.nunique()} sources, {data.n_seeds.min()} seeds")
