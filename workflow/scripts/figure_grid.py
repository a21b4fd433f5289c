"""Rules `figure_diversity_grid` and `figure_samples`: labelled rows of images."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402

from lighthouse.report.figures import save_figure  # noqa: E402
from lighthouse.report.grids import first_images, image_grid, spaced  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays  # noqa: E402

classes = read_about(job.input.images[0])["classes"]
shown = job.params.classes or spaced(len(classes))


def row(path: str) -> np.ndarray:
    """Images of one file, (n, 3, H, W): by seed, then by class, ``columns`` of each."""
    sets = read_arrays(path)
    chosen = [sets[f"seed~{seed}"][k] for seed in job.params.seeds for k in shown]
    return np.concatenate([first_images(images, job.params.columns) for images in chosen])


rows = [row(path) for path in job.input.images]
groups = (
    [f"seed {seed}" for seed in job.params.seeds]
    if job.params.classes
    else [f"class {classes[k]}" for k in shown]
)
save_figure(image_grid(rows, job.params.labels, groups), [job.output.png])
job.done(f"{len(rows)} rows of {len(rows[0])} images")
