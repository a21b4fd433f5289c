"""Rule `strategies`: utility of joint, sequential and iid sets beside what a pool holds."""

from pathlib import Path

from lighthouse.runtime.job import device, progress, start

job = start(globals().get("snakemake"))

from lighthouse.metrics.diversity import RealClasses  # noqa: E402
from lighthouse.metrics.features import load_extractor  # noqa: E402
from lighthouse.metrics.projection import maps, shown  # noqa: E402
from lighthouse.metrics.strategies import (  # noqa: E402
    SAMPLED,
    Coast,
    claims,
    class_points,
    class_rows,
    joined,
)
from lighthouse.metrics.subsets import random_subsets  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays, without_nan  # noqa: E402
from lighthouse.runtime.rng import generator  # noqa: E402

params, dataset = job.params, job.wildcards.dataset
names = read_about(job.input.features)["classes"]
arrays = read_arrays(job.input.features)
real = RealClasses(arrays["features"], arrays["labels"], params.neighbours)
coasts = [Coast(real.features[r], radius) for r, radius in zip(real.rows, real.radii, strict=True)]
extractor = load_extractor(Path(job.input.extractor), device())


def make(cell: dict) -> dict:
    """Measure the sets of one figure."""
    seeds, ipc, label_shown = cell["seeds"], cell["ipc"], cell["shown_class"]
    sizes = [ipc] * 3 + [cell["pool_ipc"]]
    *sampled, pooled = (
        class_points(files["images"], files["latents"], seeds, size, extractor.array)
        for files, size in zip(cell["sets"], sizes, strict=True)
    )
    rows, drawn = [], {"sequential": {}, "joint": {}}
    for label, (pool, *sets) in enumerate(
        progress(zip(pooled, *sampled, strict=True), "classes", len(names), unit="class")
    ):
        pool, sets = joined(pool), dict(zip(SAMPLED, sets, strict=True))
        rng = generator("strategy subsets", dataset, label)
        subsets = random_subsets(len(pool), ipc, cell["subsets"], rng)
        key = {"dataset": dataset, "ipc": ipc, "class": names[label]}
        rows += class_rows(key, sets, pool, coasts[label], subsets, params.epsilon)
        if label in shown(len(names), label_shown):
            for kind, points in drawn.items():
                points[label] = sets[kind][seeds[0]]
    places = maps(dataset, coasts, names, drawn, label_shown, seeds[0])
    return without_nan({"classes": rows, "tests": claims(dataset, rows), "map": places})


read = [job.input.features, job.input.extractor]
run_cells(job, params.cells, make, read)
