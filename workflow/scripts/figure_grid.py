"""Rules `figure_diversity_grid` and `figure_samples`: labelled rows of images."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402

from lighthouse.report.figures import save_figure  # noqa: E402
from lighthouse.report.grids import image_grid  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays  # noqa: E402

classes = read_about(job.input.images[0])["classes"]
shown = job.params.classes or list(range(len(classes)))
rows = [
    np.concatenate([read_arrays(path)[key][k, : job.params.columns] for key in keys for k in shown])
    for path in job.input.images
    for keys in [[f"seed~{seed}" for seed in job.params.seeds]]
]
groups = (
    [f"seed {seed}" for seed in job.params.seeds]
    if job.params.classes
    else [f"class {name}" for name in classes]
)
save_figure(image_grid(rows, job.params.labels, groups), [job.output.png])
job.done(f"{len(rows)} rows of {len(rows[0])} images")
