"""Shards: files of some classes each, put together to one of all classes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lighthouse.runtime.files import opened, read_about, write_arrays
from lighthouse.runtime.tally import Tally
from lighthouse.selection.pool import taken


def gather(
    shards: Sequence[Path],
    output: Path,
    classes: Sequence[str],
    kept: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write the shards' tensors, (C_shard, …) each, one behind the other as (C, …).

    ``shards``: in the order of their classes. ``kept``: of pools, by the name of a tensor, the
    positions (C, N) of what is written of each class; None is all. The records in their headers
    have to agree in all but the classes. Raises ``ValueError`` where they do not, and where
    the shards' classes are not ``classes``: none missing, none twice, none moved.
    """
    abouts = [read_about(path) for path in shards]
    found = [name for about in abouts for name in about["classes"]]
    if found != list(classes):
        odd = sorted(set(found) ^ set(classes)) or "none missing, but in another order or twice"
        raise ValueError(f"{output}: the shards' classes are not the dataset's: {odd}")
    common = {**abouts[0], "classes": found}
    for path, about in zip(shards, abouts, strict=True):
        other = {**about, "classes": found}
        different = [k for k in common | other if common.get(k) != other.get(k)]
        if different:
            raise ValueError(
                f"{path} was made in another way than {shards[0]} ({', '.join(different)}): "
                "delete the older of them"
            )
    with opened(shards[0]) as file:
        names = list(file.keys())
    write_arrays(output, {name: together(shards, name, kept) for name in names}, common)


def together(
    shards: Sequence[Path], name: str, kept: Mapping[str, np.ndarray] | None = None
) -> np.ndarray:
    """One tensor of several shards, (C, …); of pools what is kept of each class."""
    whole = np.concatenate([_tensor(path, name) for path in shards])
    return whole if kept is None else taken(whole, kept[name])


def _tensor(path: Path, name: str) -> np.ndarray:
    with opened(path) as file:
        return file.get_tensor(name)


def gather_costs(costs: Sequence[Mapping], choosing: float = 0.0) -> dict:
    """What the shards took together: sums of seconds, images, work and ``held``, the largest peaks.

    The sums of each replicate, too. choosing: seconds that it took to choose of their pools, of
    which each replicate has a share, since all have equally many sets.
    """
    peaks = ("peak_host_bytes", "peak_device_bytes")
    most = {
        name: max((c[name] for c in costs if c[name] is not None), default=None) for name in peaks
    }
    of_each = zip(*(cost["replicates"] for cost in costs), strict=True)
    share = choosing / len(costs[0]["replicates"])
    replicates = [{**parts[0], **_sums(parts, share)} for parts in of_each]
    sums = {**_sums(costs, choosing), "held": _held(costs)}
    return {**costs[0], **most, **sums, "replicates": replicates}


def _held(costs: Sequence[Mapping]) -> dict:
    """How often the shards' numbers were held within a bound, of all cases (``runtime.tally``)."""
    tally = Tally()
    for cost in costs:
        for name, found in cost["held"].items():
            tally.add(name, **found)
    return tally.counts()


def _sums(costs: Sequence[Mapping], more: float) -> dict:
    """Seconds, images and what of the denoiser was asked, of several parts; ``more`` seconds."""
    counts = [cost["denoiser"] for cost in costs]
    work = {name: sum(count[name] for count in counts) for name in counts[0]}
    sums = {name: sum(cost[name] for cost in costs) for name in ("seconds", "images")}
    return {**sums, "seconds": sums["seconds"] + more, "denoiser": work}
