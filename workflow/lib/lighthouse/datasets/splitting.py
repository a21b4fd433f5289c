"""How a dataset is split: by digests of names, and groups of like images whole."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from lighthouse.runtime.counting import many
from lighthouse.runtime.errors import DataError

#: Share of each class's images that become the part test, where a folder has none.
TEST_SHARE = 0.2


def held_out(count: int, share: float) -> int:
    """How many of a class's ``count`` images are held out; never all."""
    return min(round(share * count), max(count - 1, 0))


def held_for_test(count: int, share: float) -> int:
    """How many of a class's ``count`` images become the part test: one at least, never all."""
    return max(held_out(count, share), min(1, count - 1))


def rank(name: str) -> bytes:
    """The digest of a file's path below the dataset's folder, by which images are held out.

    So another order of listing, another machine or another root changes nothing, nor whether
    a disk keeps letters with their accents or apart.
    """
    form = unicodedata.normalize("NFC", name)
    return hashlib.sha256(form.encode()).digest()


def hold_out(
    labels: Sequence[int], ranks: Sequence[bytes], groups: Sequence[int], wanted: dict[int, int]
) -> np.ndarray:
    """Which images are held out, (n,) bool, by whole groups.

    wanted: images of each class, by label. Groups are taken by the lowest rank of an image in
    them; one that would make a class's more than wanted is passed over. Where a class then has
    none, its smallest group is taken, if that leaves every class of it another.
    """
    members: dict[int, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    ordered = sorted(members.values(), key=lambda some: min(ranks[k] for k in some))
    counts = [Counter(labels[k] for k in some) for some in ordered]
    left, taken, chosen = Counter(labels), Counter(), set()

    def take(group: int) -> None:
        chosen.add(group)
        taken.update(counts[group])

    for group, count in enumerate(counts):
        if all(taken[c] + n <= wanted.get(c, 0) for c, n in count.items()):
            take(group)
    for label in sorted(c for c, n in wanted.items() if n):
        if taken[label]:
            continue
        fit = [
            (sum(count.values()), group)
            for group, count in enumerate(counts)
            if label in count and all(taken[c] + n < left[c] for c, n in count.items())
        ]
        if fit:
            take(min(fit)[1])
    held = np.zeros(len(labels), dtype=bool)
    for group in chosen:
        held[ordered[group]] = True
    return held


def divided(
    kind: str,
    labels: Sequence[int],
    ranks: Sequence[bytes],
    groups: Sequence[int],
    parts: Sequence[str],
    test_share: float | None,
    val_share: float,
    classes: Sequence[str],
) -> np.ndarray:
    """The part of each image, (n,) str, in a folder of a layout's ``kind``.

    parts: where each lies in the layout ``parts``, which stays but for ``val_share`` of train. In
    the layout ``classes`` see ``split``; test_share is ``TEST_SHARE`` if None.
    """
    if kind == "parts":
        return validate(np.array(parts), np.array(labels), ranks, groups, val_share)
    share = TEST_SHARE if test_share is None else test_share
    return split(labels, ranks, groups, share, val_share, classes)


def split(
    labels: Sequence[int],
    ranks: Sequence[bytes],
    groups: Sequence[int],
    test_share: float,
    val_share: float,
    classes: Sequence[str],
) -> np.ndarray:
    """The part of each image of a folder that has no parts, (n,) str.

    test_share: of each class's images; val_share: of those that then are left. Raises
    ``DataError`` at a class whose images are one photograph.
    """
    parts = np.full(len(labels), "train", dtype="U5")
    labels = np.asarray(labels)
    counts = Counter(labels.tolist())
    test = hold_out(
        labels.tolist(), ranks, groups, {c: held_for_test(n, test_share) for c, n in counts.items()}
    )
    parts[test] = "test"
    for label, name in enumerate(classes):
        if not test[labels == label].any():
            raise DataError(
                f"class {name}: its {many(counts[label], 'image')} are the same photograph or "
                "nearly, or each is in another class too; two different ones are needed, one to "
                "train with and one to test"
            )
    return validate(parts, labels, ranks, groups, val_share)


def validate(
    parts: np.ndarray,
    labels: np.ndarray,
    ranks: Sequence[bytes],
    groups: Sequence[int],
    val_share: float,
) -> np.ndarray:
    """The same parts, with ``val_share`` of each class's training images in the part val."""
    rows = np.flatnonzero(parts == "train")
    own = [int(labels[k]) for k in rows]
    wanted = {c: held_out(n, val_share) for c, n in Counter(own).items()}
    held = hold_out(own, [ranks[k] for k in rows], [groups[k] for k in rows], wanted)
    parts = parts.copy()
    parts[rows[held]] = "val"
    return parts
