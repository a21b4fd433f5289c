"""Rule `lighthouses`: utility of joint, sequential and iid sets beside what a pool holds."""

from pathlib import Path

from lighthouse.runtime.job import device, progress, start

job = start(globals().get("snakemake"))

from lighthouse.metrics.diversity import RealClasses  # noqa: E402
from lighthouse.metrics.features import load_extractor  # noqa: E402
from lighthouse.metrics.lighthouse import (  # noqa: E402
    SAMPLED,
    Coast,
    claims,
    class_points,
    class_rows,
    joined,
)
from lighthouse.metrics.projection import maps, shown  # noqa: E402
from lighthouse.metrics.subsets import random_subsets  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays  # noqa: E402
from lighthouse.runtime.rng import generator  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

params, dataset, first = job.params, job.wildcards.dataset, job.params.seeds[0]
names = read_about(job.input.features)["classes"]
arrays = read_arrays(job.input.features)
real = RealClasses(arrays["features"], arrays["labels"], params.neighbours)
coasts = [Coast(real.features[r], radius) for r, radius in zip(real.rows, real.radii, strict=True)]
extractor = load_extractor(Path(job.input.extractor), device())

files = [(found["images"], found["latents"]) for found in params.sets]
*sampled, pooled = (
    class_points(images, latents, params.seeds, ipc, extractor.array)
    for (images, latents), ipc in zip(files, [params.ipc] * 3 + [params.pool_ipc], strict=True)
)
rows, drawn = [], {"sequential": {}, "joint": {}}
for label, (pool, *sets) in enumerate(
    progress(zip(pooled, *sampled, strict=True), "classes", len(names), unit="class")
):
    pool, sets = joined(pool), dict(zip(SAMPLED, sets, strict=True))
    rng = generator("lighthouse subsets", dataset, label)
    subsets = random_subsets(len(pool), params.ipc, params.subsets, rng)
    key = {"dataset": dataset, "ipc": params.ipc, "class": names[label]}
    rows += class_rows(key, sets, pool, coasts[label], subsets, params.epsilon)
    if label in shown(len(names), params.shown_class):
        for kind, points in drawn.items():
            points[label] = sets[kind][first]
write_rows(job.output.table, rows)
write_rows(job.output.test, claims(dataset, rows))
write_rows(job.output.map, maps(dataset, coasts, names, drawn, params.shown_class, first))
job.done(f"utility of sets of {params.ipc} in {len(names)} classes, by {len(params.seeds)} seeds")
