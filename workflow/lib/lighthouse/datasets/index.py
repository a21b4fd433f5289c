"""A dataset on disk: image files, and a table that says what each is."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lighthouse.runtime.files import whole

#: Priors and class means see train; choices are made on val; test is for the
#: figures reported.
PARTS = ("train", "val", "test")
COLUMNS = ("part", "label", "class_name", "path")


@dataclass(frozen=True)
class ImageIndex:
    """The rows of an index: ``(part, label, class name, path relative to root)``."""

    root: Path
    rows: tuple[tuple[str, int, str, str], ...]

    @classmethod
    def read(cls, path: str | Path) -> "ImageIndex":
        """Read ``index.tsv``; image paths are relative to its folder."""
        path = Path(path)
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (row["part"], int(row["label"]), row["class_name"], row["path"])
                for row in csv.DictReader(file, delimiter="\t")
            ]
        return cls(path.parent, tuple(rows))

    @staticmethod
    def write(path: str | Path, rows: Iterable[tuple[str, int, str, str]]) -> None:
        """Write ``index.tsv``."""
        with whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows)

    @property
    def classes(self) -> list[str]:
        """Class names in label order."""
        return [name for _, name in sorted({(label, name) for _, label, name, _ in self.rows})]

    def labels(self, part: str) -> np.ndarray:
        """Labels of a part, (n,) int64, in index order."""
        return np.array([row[1] for row in self.rows if row[0] == part], dtype=np.int64)

    def images(self, part: str, size: int) -> np.ndarray:
        """Images of a part in index order, (n, 3, size, size) uint8 RGB.

        An image of another size has its shorter side scaled to ``size`` and its
        centre cut out.
        """
        paths = [self.root / row[3] for row in self.rows if row[0] == part]
        return np.stack([read_image(path, size) for path in paths])


def read_image(path: Path, size: int) -> np.ndarray:
    """One image, (3, size, size) uint8 RGB, scaled and centre-cropped as needed."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        if image.size != (size, size):
            scale = size / min(image.size)
            image = image.resize(
                tuple(max(size, round(side * scale)) for side in image.size), Image.BICUBIC
            )
            left, top = ((side - size) // 2 for side in image.size)
            image = image.crop((left, top, left + size, top + size))
        return np.asarray(image).transpose(2, 0, 1).copy()
