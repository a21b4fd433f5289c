"""Rule `frechet`: Fréchet distance of each cell's images to real ones, pooled and by seed."""

from pathlib import Path

from lighthouse.runtime.job import device, progress, start

job = start(globals().get("snakemake"))

from lighthouse.metrics.features import load_extractor, set_features  # noqa: E402
from lighthouse.metrics.frechet import distance_row, statistics  # noqa: E402
from lighthouse.report.tables import write_rows  # noqa: E402
from lighthouse.runtime.files import read_arrays  # noqa: E402

extractor = load_extractor(Path(job.input.extractor), device())
real = read_arrays(job.input.features)["features"]
real_statistics = statistics(real)
cells = list(zip(job.params.cells, job.input.images, strict=True))
rows = []
for cell, path in progress(cells, "Fréchet distance", unit="cell"):
    sets = [set_features(extractor, path, seed, cell["ipc"]) for seed in job.params.seeds]
    rows.append(distance_row(cell, extractor.name, len(real), real_statistics, sets))
write_rows(job.output.table, rows)
job.done(f"Fréchet distance ({extractor.name}) of {len(rows)} cells")
