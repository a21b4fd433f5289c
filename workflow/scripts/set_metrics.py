"""Rule `set_metrics`: diversity, distances from real images and spectra of each cell's sets."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.datasets.latents import MEANS, Latents  # noqa: E402
from lighthouse.metrics.copying import RealPoints, RealSpaces  # noqa: E402
from lighthouse.metrics.diversity import diversity_row  # noqa: E402
from lighthouse.metrics.features import load_extractor, set_seen  # noqa: E402
from lighthouse.metrics.frechet import Reference, distance_row, set_rows  # noqa: E402
from lighthouse.metrics.real_classes import RealClasses  # noqa: E402
from lighthouse.metrics.sets import class_sets, distinct_sets  # noqa: E402
from lighthouse.metrics.spectrum import rank_row, singular_values, value_rows  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays, without_nan  # noqa: E402
from lighthouse.runtime.tally import Tally  # noqa: E402

params, seeds = job.params, list(job.params.seeds)
extractor = load_extractor(Path(job.input.extractor), device())
of_real, classes = read_arrays(job.input.features), read_about(job.input.features)["classes"]
real = RealClasses(of_real["features"], of_real["labels"], neighbours=params.neighbours)
encoded = Latents(job.input.latents)
spaces = RealSpaces(
    RealPoints(encoded.latents[:, 0], encoded.labels),  # as they are, not mirrored
    RealPoints(real.features, of_real["labels"]),
)
reference = Reference(real.features)


def make(cell: dict) -> dict:
    """Measure the sets of one cell."""
    row, images, ipc = cell["row"], cell["images"], cell["row"]["ipc"]
    seen = {seed: set_seen(extractor, images, seed, ipc, classes) for seed in seeds}
    sets = {seed: features for seed, (features, _) in seen.items()}
    found = {
        "diversity": [
            diversity_row(
                row,
                seed,
                class_sets(images, seed, ipc),
                class_sets(cell["latents"], seed, ipc),
                features.reshape(-1, ipc, features.shape[-1]),
                recognised,
                real,
                spaces,
                params.epsilon,
                params.ssim_pairs,
            )
            for seed, (features, recognised) in seen.items()
        ]
    }
    if cell["distances"]:
        distinct = distinct_sets(images, seeds, ipc).items()
        compared = [(sets[seed], digests) for seed, digests in distinct]
        tally = Tally()
        found["distances"] = distance_row(row, extractor.name, reference, compared, tally)
        found["set_distances"] = set_rows(row, reference, sets)
        found["held"] = tally.counts()
        tally.tell(f"{row['method']}, IPC {ipc}")
    if cell["spectrum"]:
        found["spectrum"], found["ranks"] = [], []
        for seed, points in sets.items():
            sigma = singular_values(points)
            key = {"dataset": row["dataset"], "source": cell["spectrum"], "seed": seed}
            found["spectrum"] += value_rows(key, sigma)
            found["ranks"].append(rank_row({**key, "n": len(points)}, sigma))
    return without_nan(found)


read = [Path(job.input.latents, MEANS), job.input.features, job.input.extractor]
run_cells(job, params.cells, make, read)
