"""Rule `set_metrics`: diversity of every set of a method, and its distance from real images."""

from pathlib import Path

from lighthouse.runtime.job import device, progress, start

job = start(globals().get("snakemake"))

from lighthouse.metrics.diversity import RealClasses, diversity_row  # noqa: E402
from lighthouse.metrics.features import load_extractor, set_features  # noqa: E402
from lighthouse.metrics.frechet import Reference, distance_row  # noqa: E402
from lighthouse.metrics.sets import class_sets, distinct_sets  # noqa: E402
from lighthouse.runtime.files import read_arrays  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

extractor, seeds = load_extractor(Path(job.input.extractor), device()), job.params.seeds
features = read_arrays(job.input.features)
real = RealClasses(features["features"], features["labels"], neighbours=job.params.neighbours)
cells = list(zip(job.params.cells, job.input.images, job.input.latents, strict=True))
sets = [
    (cell, seed, *(class_sets(path, seed, cell["ipc"]) for path in paths))
    for cell, *paths in cells
    for seed in seeds
]
rows = [
    diversity_row(
        cell, seed, images, latents, extractor, real, job.params.epsilon, job.params.ssim_pairs
    )
    for cell, seed, images, latents in progress(sets, "diversity", unit="set")
]
write_rows(job.output.diversity, rows)

reference = Reference(real.features)
rows = [
    distance_row(
        cell,
        extractor.name,
        reference,
        [
            (set_features(extractor, images, seed, cell["ipc"]), digests)
            for seed, digests in distinct_sets(images, seeds, cell["ipc"]).items()
        ],
    )
    for cell, images, _ in progress(cells, "distances", unit="cell")
    if cell in job.params.table_cells
]
write_rows(job.output.frechet, rows)
job.done(f"metrics of {len(sets)} sets in {len(cells)} cells")
