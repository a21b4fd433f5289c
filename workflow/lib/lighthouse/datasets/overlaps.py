"""Images that two parts of a folder have: what judges keeps them, what is judged loses them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lighthouse.datasets.findings import Entry, such_as
from lighthouse.datasets.walking import shown

#: The parts, and which keeps an image that another has too: the lowest.
KEEPS = {"test": 0, "val": 1, "train": 2}


def left_out(
    entries: Sequence[Entry], groups: np.ndarray
) -> tuple[np.ndarray, list[tuple[str, str]], list[str]]:
    """Which images leave their part, since another has them, or nearly.

    entries: of parts train, test and perhaps val, and the group of each. What the part test
    has leaves train and val, what val has leaves train: an accuracy on images that were trained
    on is too high. Returns a mask (n,) bool; path and reason of each, for a table; and a
    sentence about them, if there are any.
    """
    members: dict[int, list[Entry]] = {}
    for entry, group in zip(entries, groups.tolist(), strict=True):
        members.setdefault(group, []).append(entry)
    keepers = {group: min(KEEPS[entry.part] for entry in some) for group, some in members.items()}
    mask = np.array(
        [KEEPS[e.part] > keepers[g] for e, g in zip(entries, groups.tolist(), strict=True)],
        dtype=bool,
    )
    rows, same = [], 0
    for position in np.flatnonzero(mask):
        entry, group = entries[position], int(groups[position])
        kept = [other for other in members[group] if KEEPS[other.part] == keepers[group]]
        equal = next((other for other in kept if _same_bytes(other.path, entry.path)), None)
        other = equal or kept[0]
        same += equal is not None
        how = "the same bytes as" if equal else "nearly the same picture as"
        rows.append((shown(entry.name), f"{how} {shown(other.name)} of the part {other.part}"))
    if not rows:
        return mask, [], []
    line = (
        f"Left out of their part, since one that judges has them too: {same:,} of the same bytes, "
        f"{len(rows) - same:,} nearly the same ({such_as([path for path, _ in rows])})."
    )
    return mask, rows, [line]


def _same_bytes(a: Path, b: Path) -> bool:
    return a.stat().st_size == b.stat().st_size and a.read_bytes() == b.read_bytes()
