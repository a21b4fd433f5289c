"""What a folder of images holds, told without a study: its layout, classes, counts, sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from PIL import Image

from lighthouse.datasets.folders import _images, subfolders

#: The part of each folder's name, in lower case.
PARTS = {"train": "train", "val": "test", "valid": "test", "validation": "test", "test": "test"}


@dataclass(frozen=True)
class Survey:
    """What was found. layout: ``classes``, or ``parts``, a train folder beside another.

    folders: of each part, or of ``all``. counts: usable images by class and part. shorter: the
    least, median and largest shorter side in pixels. lines: what is odd, and what is done with
    it. faults: what keeps the folder from being used.
    """

    layout: str
    folders: Mapping[str, Path]
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    shorter: tuple[int, int, int]
    lines: list[str]
    faults: list[str]

    def paragraph(self) -> str:
        """All of it in sentences."""
        totals = [sum(parts.values()) for parts in self.counts.values()] or [0]
        words = (
            f"{len(self.classes)} classes of {min(totals)} to {max(totals)} images, "
            f"{sum(totals)} in all; shorter sides {self.shorter[0]} to {self.shorter[2]} px, "
            f"median {self.shorter[1]}."
        )
        return " ".join([words, *self.lines])


def look(root: Path, threads: int = 1) -> Survey:
    """Look at a folder of images; ``threads`` is how many read it."""
    del threads
    found = {name.lower(): root / name for name in subfolders(root)}
    parts = {part: found[name] for name, part in PARTS.items() if name in found}
    layout = "parts" if {"train", "test"} <= parts.keys() else "classes"
    folders = parts if layout == "parts" else {"all": root}
    classes = tuple(subfolders(folders.get("train", root)))
    counts: dict[str, dict[str, int]] = {name: {} for name in classes}
    sides = []
    for part, folder in folders.items():
        for name in classes:
            paths = list(_images(folder / name)) if (folder / name).is_dir() else []
            counts[name][part] = len(paths)
            for path in paths:
                with Image.open(path) as image:
                    sides.append(min(image.size))
    faults = [f"{root}: one class alone; allowed: two or more"] if len(classes) == 1 else []
    faults += [] if sides else [f"{root}: holds no images"]
    sides = sides or [0]
    shorter = (min(sides), median_low(sides), max(sides))
    return Survey(layout, folders, classes, counts, shorter, [], faults)
