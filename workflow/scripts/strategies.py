"""Rule `strategies`: utility of joint, sequential and iid sets beside what a pool holds."""

from pathlib import Path

from lighthouse.runtime.job import device, progress, start

job = start(globals().get("snakemake"))

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.metrics.features import load_extractor  # noqa: E402
from lighthouse.metrics.projection import map_rows  # noqa: E402
from lighthouse.metrics.real_classes import RealClasses  # noqa: E402
from lighthouse.metrics.sets import class_set, evenly  # noqa: E402
from lighthouse.metrics.strategies import (  # noqa: E402
    Coast,
    claims,
    class_points,
    class_rows,
    joined,
)
from lighthouse.metrics.subsets import random_subsets  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import (  # noqa: E402
    read_about,
    read_arrays,
    without_nan,
    write_arrays,
)
from lighthouse.runtime.rng import generator  # noqa: E402

#: Images of a set that the figure shows at most.
SHOWN = 10

params, dataset = job.params, job.wildcards.dataset
names = read_about(job.input.features)["classes"]
arrays = read_arrays(job.input.features)
real = RealClasses(arrays["features"], arrays["labels"], params.neighbours)
coasts = [Coast(real.features[r], radius) for r, radius in zip(real.rows, real.radii, strict=True)]
extractor = load_extractor(Path(job.input.extractor), device())


def make(cell: dict) -> dict:
    """Measure the sets of one figure."""
    ipc, replicates = cell["ipc"], replicate_of(cell)
    seeds = list(replicates)

    def points(files, size):
        return class_points(files["images"], files["latents"], seeds, size, extractor.array)

    sampled = [points(files, ipc) for files in cell["sets"].values()]
    rows, mapped = [], {}
    by_class = zip(points(cell["pool"], cell["pool_ipc"]), *sampled, strict=True)
    for label, (pool, *sets) in enumerate(progress(by_class, "classes", len(names), unit="class")):
        pool, sets = joined(pool), dict(zip(cell["sets"], sets, strict=True))
        rng = generator("strategy subsets", dataset, label)
        subsets = random_subsets(len(pool), ipc, cell["subsets"], rng)
        key = {"dataset": dataset, "ipc": ipc, "class": names[label]}
        rows += class_rows(key, sets, pool, coasts[label], subsets, params.epsilon)
        if label == cell["shown_class"]:
            mapped = {kind: of[seeds[0]] for kind, of in sets.items() if kind != "iid"}
    write_arrays(cell["shown"], images(cell, list(mapped)), {"stamp": cell["stamp"]})
    shown = names[cell["shown_class"]], coasts[cell["shown_class"]]
    places = map_rows(dataset, *shown, mapped, seeds[0])
    return without_nan({"classes": rows, "tests": claims(dataset, rows, replicates), "map": places})


def replicate_of(cell: dict) -> dict[int, int]:
    """The replicate of each set, by its sampling seed."""
    return {seed: own for own, seeds in cell["replicates"].items() for seed in seeds}


def images(cell: dict, strategies: list[str]) -> dict:
    """Of the class shown the first images of each set, and as many real ones as of all sets."""
    label, count = cell["shown_class"], min(cell["ipc"], SHOWN)
    seed = next(iter(replicate_of(cell)))
    of = {name: class_set(cell["sets"][name]["images"], seed, label, count) for name in strategies}
    rows = arrays["rows"][real.rows[label]]
    rows = rows[evenly(len(rows), count * len(of))]
    index = ImageIndex.read(job.input.index)
    return {"real": index.images("train", params.image_size, job.threads, rows), **of}


read = [job.input.index, job.input.features, job.input.extractor]
run_cells(job, params.cells, make, read)
