"""Rule `diversity`: SSIM, log det and coverage of every cell of a method, by seed."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.metrics.diversity import diversity_rows  # noqa: E402
from lighthouse.metrics.features import load_extractor  # noqa: E402
from lighthouse.report.tables import write_rows  # noqa: E402
from lighthouse.runtime.files import read_arrays  # noqa: E402

index = ImageIndex.read(job.input.index)
extractor = load_extractor(Path(job.input.extractor), device())
real = extractor.array(index.images("train", job.params.image_size))
rows = []
for cell, images, latents in zip(
    job.params.cells, job.input.images, job.input.latents, strict=True
):
    rows += diversity_rows(
        cell,
        read_arrays(images),
        read_arrays(latents),
        job.params.seeds,
        extractor,
        real,
        index.labels("train"),
        job.params.epsilon,
        job.params.neighbours,
    )
write_rows(job.output.table, rows)
job.done(f"diversity of {len(job.params.cells)} cells")
