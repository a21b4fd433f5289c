"""What was found in a dataset's files, in plain sentences, and as a record."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lighthouse.datasets.decoding import ODDITIES
from lighthouse.datasets.index import PARTS, ImageIndex
from lighthouse.datasets.scanning import Seen
from lighthouse.datasets.splitting import divided
from lighthouse.datasets.walking import Passed, shown
from lighthouse.runtime.counting import many

#: Names that a sentence gives as examples.
EXAMPLES = 3
PART_WORDS = {
    "all": "to be split",
    "train": "for training",
    "val": "for choices",
    "test": "for testing",
}


@dataclass(frozen=True)
class Entry:
    """A file of a dataset: the part and label that its folder gives it, and what it is.

    name: its path below the dataset's folder, with slashes.
    """

    part: str
    label: int
    path: Path
    name: str
    seen: Seen


@dataclass(frozen=True)
class Survey:
    """What a folder of images holds.

    layout: ``classes`` or ``parts``. folders: the folder of each part (``all`` of layout
    ``classes``). counts: images that can be used, by class and part. shorter: least, median and
    largest shorter side in pixels, zeros where there are no images. lines: what is odd, and what
    is done with it. faults: what keeps the images from being used. placed: of each image that can
    be used its label, the rank by which it is held out, its group of like images, and its part; of
    a look without a study alone.
    """

    layout: str
    folders: Mapping[str, Path]
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    shorter: tuple[int, int, int]
    lines: list[str]
    faults: list[str]
    placed: tuple[tuple[int, bytes, int, str], ...] = ()

    def split(self, test_share: float | None, val_share: float) -> dict[str, Counter[str]]:
        """How many images of each class would be in each part, as a study splits them.

        Raises ``DataError`` at a class whose images are one photograph.
        """
        labels, ranks, groups, parts = (list(column) for column in zip(*self.placed, strict=True))
        shares = test_share, val_share
        own = divided(self.layout, labels, ranks, groups, parts, *shares, self.classes)
        found = {name: Counter() for name in self.classes}
        for label, part in zip(labels, own, strict=True):
            found[self.classes[label]][str(part)] += 1
        return found

    def paragraph(self) -> str:
        """All of it in one paragraph."""
        least, median, largest = self.shorter
        sizes = f"{least} px" if least == largest else f"{least} to {largest} px, median {median}"
        said = [f"{len(self.classes)} classes: {self._parts()}."] if self.classes else []
        said += [f"Shorter side: {sizes}."] if largest else []
        said += self.lines
        said += [f"This keeps them from being used: {fault}." for fault in self.faults]
        return " ".join(said)

    def _parts(self) -> str:
        words = []
        for part, word in PART_WORDS.items():
            counts = [self.counts[name].get(part, 0) for name in self.classes]
            if sum(counts):
                least, most = min(counts), max(counts)
                each = f"{least}" if least == most else f"{least} to {most}"
                words.append(f"{many(sum(counts), 'image')} {word} ({each} a class)")
        return ", ".join(words) or "no images"

    def weight(self) -> int:
        """The level of a log that it belongs to: a warning where something is odd."""
        return logging.WARNING if self.lines or self.faults else logging.INFO

    def record(self) -> dict:
        """What a file of it holds: no path that another machine would not have."""
        held = asdict(self) | {"folders": {p: path.name for p, path in self.folders.items()}}
        del held["placed"]
        return held | {"classes": [*self.classes], "shorter": [*self.shorter]}


def of_index(index: ImageIndex, size: int) -> Survey:
    """What an index holds whose images are all of one size, made for it."""
    classes = index.classes
    labels, parts = [row[1] for row in index.rows], [row[0] for row in index.rows]
    known = [part for part in PARTS if part in parts]
    counts = counted(classes, labels, parts, known)
    return Survey("parts", {}, tuple(classes), counts, (size, size, size), [], [])


def such_as(names: Sequence[str], most: int = EXAMPLES) -> str:
    """Some of many names."""
    some = ", ".join(shown(name) for name in names[:most])
    return some if len(names) <= most else f"{some} …"


def shorter_sides(entries: Sequence[Entry]) -> tuple[int, int, int]:
    """Least, median and largest shorter side of images, in pixels."""
    sides = sorted(min(entry.seen.size) for entry in entries)
    return (sides[0], sides[len(sides) // 2], sides[-1]) if sides else (0, 0, 0)


def counted(
    classes: Sequence[str], labels: Sequence[int], parts: Sequence[str], known: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Images by class and part; ``known`` parts have a number in each class."""
    counts = {name: dict.fromkeys(known, 0) for name in classes}
    for label, part in zip(labels, parts, strict=True):
        counts[classes[label]][str(part)] += 1
    return counts


def of_files(entries: Sequence[Entry], passed: Passed, base: Path, background: str) -> list[str]:
    """What is odd about the files of a dataset, a sentence a kind."""
    lines = []
    faults: dict[str, list[str]] = {}
    for entry in entries:
        if entry.seen.fault:
            faults.setdefault(entry.seen.fault, []).append(entry.name)
    for fault, names in sorted(faults.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(
            f"Cannot be used, {many(len(names), 'file')}: {shown(fault)} ({such_as(names)})."
        )
    for kind, what in ODDITIES.items():
        names = [entry.name for entry in entries if kind in entry.seen.oddities]
        if names:
            what = what.format(background=background)
            lines.append(f"{what}: {many(len(names), 'image')} ({such_as(names)}).")
    for kind, what in (
        ("system", "Passed over, since systems and programs leave such"),
        ("links", "Passed over, since they lead to folders that are read already"),
    ):
        names = sorted(path.relative_to(base).as_posix() for path in passed.get(kind, ()))
        if names:
            lines.append(f"{what}: {many(len(names), 'name')} ({such_as(names)}).")
    return lines


def smaller(entries: Sequence[Entry], size: int) -> list[str]:
    """A sentence about images that are smaller than asked."""
    names = [entry.name for entry in entries if min(entry.seen.size) < size]
    if not names:
        return []
    return [
        f"Scaled up, since the shorter side is below image_size ({size} px): "
        f"{many(len(names), 'image')} of {len(entries):,} ({such_as(names)})."
    ]


def alike(entries: Sequence[Entry], groups: Sequence[int]) -> list[str]:
    """Sentences about images that are one photograph, ``entries`` and their groups."""
    members: dict[int, list[Entry]] = {}
    for entry, group in zip(entries, groups, strict=True):
        members.setdefault(group, []).append(entry)
    several = [some for some in members.values() if len(some) > 1]
    if not several:
        return []
    pair = " and ".join(entry.name for entry in several[0][:2])
    lines = [
        "The same or nearly the same as another, and in one part with it: "
        f"{many(sum(map(len, several)), 'image')} in {many(len(several), 'group')} "
        f"({shown(pair)})."
    ]
    mixed = [some for some in several if len({entry.label for entry in some}) > 1]
    if mixed:
        first = mixed[0][0]
        other = next(entry for entry in mixed[0] if entry.label != first.label)
        lines.append(
            f"In two classes at once, and left there: {len(mixed):,} of these groups "
            f"({shown(first.name)} and {shown(other.name)}); a label is wrong."
        )
    return lines
