"""Rule `diversity`: SSIM, log det and coverage of every cell of a method, by seed."""

from pathlib import Path

from lighthouse.runtime.job import device, progress, start

job = start(globals().get("snakemake"))

from lighthouse.metrics.diversity import RealClasses, diversity_row  # noqa: E402
from lighthouse.metrics.features import load_extractor  # noqa: E402
from lighthouse.metrics.sets import class_sets  # noqa: E402
from lighthouse.report.tables import write_rows  # noqa: E402
from lighthouse.runtime.files import read_arrays  # noqa: E402

extractor = load_extractor(Path(job.input.extractor), device())
real = RealClasses(**read_arrays(job.input.features), neighbours=job.params.neighbours)
sets = [
    (cell, seed, *(class_sets(path, seed, cell["ipc"]) for path in paths))
    for cell, *paths in zip(job.params.cells, job.input.images, job.input.latents, strict=True)
    for seed in job.params.seeds
]
rows = [
    diversity_row(
        cell, seed, images, latents, extractor, real, job.params.epsilon, job.params.ssim_pairs
    )
    for cell, seed, images, latents in progress(sets, "diversity", unit="set")
]
write_rows(job.output.table, rows)
job.done(f"diversity of {len(rows)} sets in {len(job.params.cells)} cells")
