"""Rule `frechet`: Fréchet distance of each cell's images, all seeds together, to real ones."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402

from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.metrics.features import load_extractor  # noqa: E402
from lighthouse.metrics.frechet import frechet_distance, statistics  # noqa: E402
from lighthouse.report.tables import write_rows  # noqa: E402
from lighthouse.runtime.files import read_arrays  # noqa: E402

extractor = load_extractor(Path(job.input.extractor), device())
real = extractor.array(ImageIndex.read(job.input.index).images("train", job.params.image_size))
real_statistics = statistics(real)
rows = []
for cell, path in zip(job.params.cells, job.input.images, strict=True):
    sets = read_arrays(path)
    images = np.concatenate([sets[f"seed~{s}"][:, : cell["ipc"]] for s in job.params.seeds])
    features = extractor.array(images.reshape(-1, *images.shape[-3:]))
    rows.append(
        {
            **{key: cell[key] for key in ("dataset", "method", "ipc")},
            "extractor": extractor.name,
            "n_real": len(real),
            "n_synthetic": len(features),
            "fid": frechet_distance(real_statistics, statistics(features)),
        }
    )
write_rows(job.output.table, rows)
job.done(f"Fréchet distance ({extractor.name}) of {len(rows)} cells")
