"""What a method costs: time beyond the base prior, time an image, memory, trained parameters.

In the mean over replicates; and what sampling took in each of them.
"""

from collections.abc import Mapping, Sequence

from lighthouse.report.tables import Table
from lighthouse.tables import CELL, MEASURED, MISSING, NAN

KEYS = ("dataset", "method", "ipc", "classes")
COLUMNS = (
    *KEYS,
    "base_seconds",
    "preparation_seconds",
    "tuning_seconds",
    "seconds_per_image",
    "images",
    "evaluations_per_image",
    "gradients_per_image",
    "computed_per_image",
    "trainable_parameters",
    "peak_host_gib",
    "peak_device_gib",
    "device",
    "threads",
    "status",
)
REPLICATE_COLUMNS = (
    *CELL,
    "replicate",
    "seconds_per_image",
    "evaluations_per_image",
    "gradients_per_image",
    "status",
)
#: What a denoiser was asked, by the name in a job's record.
WORK = ("evaluations", "gradients", "computed")
#: What a row's cost is of: paths of records.
PARTS = ("sample", "base", "preparation", "tuning")
GIB = 2**30


def paths_of(row: Mapping) -> list[str]:
    """The cost records behind a row."""
    return [path for name in PARTS for path in _several(row[name])]


def cost_table(
    records: Sequence[Mapping | None], rows: Sequence[Mapping], paths: Sequence[str]
) -> dict:
    """What each set cost, and each replicate of those that are sampled.

    records: what the jobs of ``paths`` recorded, None of a failed one.
    """
    known = {path: of for path, of in zip(paths, records, strict=True) if of is not None}
    parts = [part for row in rows if row["sampled"] for part in replicate_rows(row, known)]
    return {
        "table": Table([cost_row(row, known) for row in rows], COLUMNS),
        "cost_replicates": Table(parts, REPLICATE_COLUMNS),
    }


def replicate_rows(row: Mapping, records: Mapping[str, Mapping]) -> list[dict]:
    """What sampling took in each replicate, by image. row, records: as those of ``cost_row``."""
    keys = {name: row[name] for name in CELL}
    if row["sample"] not in records:
        blank = {**dict.fromkeys(REPLICATE_COLUMNS, NAN), **keys, "status": MISSING}
        return [{**blank, "replicate": seed} for seed in row["replicates"]]
    return [
        {
            **keys,
            "replicate": part["replicate"],
            "seconds_per_image": part["seconds"] / part["images"],
            **{f"{name}_per_image": _count([part], name, part["images"]) for name in WORK[:2]},
            "status": MEASURED,
        }
        for part in records[row["sample"]]["replicates"]
    ]


def cost_row(row: Mapping, records: Mapping[str, Mapping]) -> dict:
    """One method's cost at one dataset and IPC.

    row: ``KEYS``, with the dataset's number of ``classes``; the paths ``sample`` (of all
    shards together), ``base`` (one a replicate; none without a prior trained here),
    ``preparation`` (what the method needs beyond the base, fine-tuning, a surrogate, in all
    ``replicates``) and ``tuning`` (what was chosen on the validation part: the guidance scale,
    the weights of its terms; none where all are given).
    A set made elsewhere has no ``sample`` (None): what it cost is not known here.
    records: a job's cost by path. A path without one makes the row a missing one.

    What is trained in each replicate counts in their mean: a set needs one of them.
    Seconds are of work, without a process's start-up, on ``device`` with ``threads``.
    ``tuning_seconds`` are those of all candidates' sets and students, with those of a guidance
    scale in each row that is sampled with it.
    ``seconds_per_image`` is over all ``images`` of the file that holds the set: methods
    that draw each image alone share one file across IPC. Peaks are the highest of the
    method's own jobs, base aside. A method that tunes nothing has 0 trained parameters.

    ``diffusion.guided.Work``, by image: ``evaluations_per_image``, how often its latent goes
    through the denoiser, with and without a class counted apart, and ``gradients_per_image``,
    how often a gradient comes back through it, are the same on every machine;
    ``computed_per_image`` are the evaluations with the places that filled up calls on this one
    (``diffusion.calls``). 0 for real images.
    """
    keys = {name: row[name] for name in KEYS}
    if any(path not in records for path in paths_of(row)):
        return {**dict.fromkeys(COLUMNS, NAN), **keys, "status": MISSING}
    sample, base, preparation, tuning = (
        [records[path] for path in _several(row[name])] for name in PARTS
    )
    own = [*sample, *preparation]
    images = sum(record["images"] for record in sample)
    replicates = len(row["replicates"])
    return {
        **keys,
        "base_seconds": _total(base) / replicates if base else NAN,
        "preparation_seconds": _total(preparation) / replicates if sample else NAN,
        "tuning_seconds": _total(tuning) if sample else NAN,
        "seconds_per_image": _total(sample) / images if images else NAN,
        "images": images or NAN,
        **{f"{name}_per_image": _count(sample, name, images) for name in WORK},
        "trainable_parameters": _trained(preparation) // replicates if sample else NAN,
        "peak_host_gib": _peak(own, "peak_host_bytes"),
        "peak_device_gib": _peak(own, "peak_device_bytes"),
        **{name: sample[0][name] if sample else NAN for name in ("device", "threads")},
        "status": MEASURED,
    }


def _several(paths: str | Sequence[str] | None) -> list[str]:
    if paths is None:
        return []
    return [paths] if isinstance(paths, str) else list(paths)


def _total(records: Sequence[Mapping]) -> float:
    return float(sum(record["seconds"] for record in records))


def _trained(preparation: Sequence[Mapping]) -> int:
    return sum(record.get("trainable_parameters") or 0 for record in preparation)


def _count(sample: Sequence[Mapping], name: str, images: int) -> float:
    """What of the denoiser an image took; 0 where there is none, NaN without images."""
    total = sum(record.get("denoiser", {}).get(name, 0) for record in sample)
    return total / images if images else NAN


def _peak(records: Sequence[Mapping], name: str) -> float:
    """Highest peak in GiB; NaN where none was taken, as that of a device without one."""
    found = [record[name] for record in records if record.get(name) is not None]
    return max(found) / GIB if found else NAN
