"""A dataset on disk: image files, and a table that says what each is."""

import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from lighthouse.datasets.decoding import WHITE, centre_first, decode
from lighthouse.runtime.faults import reading
from lighthouse.runtime.files import whole

#: Priors and class means see train; choices are made on val; test is for the
#: figures reported.
PARTS = ("train", "val", "test")
COLUMNS = ("part", "label", "class_name", "path")
#: A column more, of an index that has an image to be read in another way than others are: the
#: word ``upright`` (EXIF's rotation is applied), a colour ``#rrggbb`` (behind transparency).
READING, UPRIGHT = "reading", "upright"
#: Batches that are decoded while their reader is busy with an earlier one.
AHEAD = 2


@dataclass(frozen=True)
class ImageIndex:
    """The rows of an index: ``(part, label, class name, path)``.

    Paths are relative to ``root``, or absolute. readings: how images are read that are not
    read as others are, by path.
    """

    root: Path
    rows: tuple[tuple[str, int, str, str], ...]
    readings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path) -> "ImageIndex":
        """Read ``index.tsv``; image paths are absolute, or relative to its folder."""
        path = Path(path)
        with reading(path), path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, delimiter="\t")
            found = next(lines, None)
            if found not in ([*COLUMNS], [*COLUMNS, READING]):
                raise ValueError(f"its columns are not {', '.join(COLUMNS)}")
            rows, readings = [], {}
            for part, label, name, image, *words in lines:
                # Interned: a million rows share a few words.
                rows.append((sys.intern(part), int(label), sys.intern(name), image))
                if words != [""] * (len(found) - len(COLUMNS)):
                    (readings[image],) = words
        return cls(path.parent, tuple(rows), readings)

    @staticmethod
    def write(
        path: str | Path,
        rows: Iterable[tuple[str, int, str, str]],
        readings: Mapping[str, str] | None = None,
    ) -> None:
        """Write ``index.tsv``, whole or not at all; the column ``reading`` where one has any."""
        if readings:
            rows = [(*row, readings.get(row[3], "")) for row in rows]
        write_rows(path, (*COLUMNS, READING) if readings else COLUMNS, rows)

    @property
    def classes(self) -> list[str]:
        """Class names in label order."""
        return [name for _, name in sorted({(label, name) for _, label, name, _ in self.rows})]

    def labels(self, part: str) -> np.ndarray:
        """Labels of a part, (n,) int64, in index order."""
        return np.array([row[1] for row in self.rows if row[0] == part], dtype=np.int64)

    def spaced(self, part: str, most: int) -> np.ndarray:
        """Positions within a part of at most ``most`` of its images, evenly spaced, (n,) int64."""
        total = len(self.labels(part))
        return np.linspace(0, total, min(total, most), endpoint=False, dtype=np.int64)

    def paths(self, part: str) -> list[Path]:
        """Image files of a part, in index order."""
        return [self.root / row[3] for row in self.rows if row[0] == part]

    def names(self, part: str, rows: Iterable[int], root: str | Path | None = None) -> list[str]:
        """The files of some images of a part, without the folders of this machine.

        root: the folder that the dataset was read from, to which they are relative; so are those
        that lie beside the index to its folder. Of others the name alone is told.
        """
        paths, places = self.paths(part), [self.root] if root is None else [Path(root), self.root]
        return [_below(paths[row], places) for row in rows]

    def _readable(self, part: str) -> list[tuple[Path, str]]:
        """Image files of a part, and how each is read."""
        return [
            (self.root / row[3], self.readings.get(row[3], ""))
            for row in self.rows
            if row[0] == part
        ]

    def images(
        self,
        part: str,
        size: int,
        threads: int = 1,
        rows: Sequence[int] | None = None,
        resize: float = 1.0,
    ) -> np.ndarray:
        """Images of a part at once, (n, 3, size, size) uint8 RGB; see ``batches``."""
        count = len(self.labels(part)) if rows is None else len(rows)
        images = np.empty((count, 3, size, size), np.uint8)
        done = 0
        for batch in self.batches(part, size, 256, threads, rows, resize):
            images[done : done + len(batch)] = batch
            done += len(batch)
        return images

    def batches(
        self,
        part: str,
        size: int,
        batch: int,
        threads: int,
        rows: Sequence[int] | None = None,
        resize: float = 1.0,
    ) -> Iterator[np.ndarray]:
        """Images of a part in index order, ``batch`` at a time: (k, 3, size, size) uint8 RGB.

        rows: positions within the part, in the order wanted; all of it if None. Images
        are read as ``read_image`` does, by ``threads`` threads, which work on the next
        ``AHEAD`` batches while the caller uses one; no more is in memory. Raises
        ``DataError`` at an image that cannot be read.
        """
        paths = self._readable(part)
        chosen = paths if rows is None else [paths[row] for row in rows]
        pool, pending = ThreadPoolExecutor(threads), deque()
        try:
            for start in range(0, len(chosen), batch):
                some = chosen[start : start + batch]
                pending.append(
                    [pool.submit(read_image, path, size, resize, how) for path, how in some]
                )
                if len(pending) > AHEAD:
                    yield np.stack([image.result() for image in pending.popleft()])
            while pending:
                yield np.stack([image.result() for image in pending.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)


def _below(path: Path, places: Sequence[Path]) -> str:
    found = (path.relative_to(place) for place in places if path.is_relative_to(place))
    return next(found, Path(path.name)).as_posix()


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Write a table of tab-separated columns, whole or not at all."""
    with whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_image(path: Path, size: int, resize: float = 1.0, reading: str = "") -> np.ndarray:
    """One image, (3, size, size) uint8 RGB.

    The shorter side is scaled (bicubic) to round(resize · size), resize ≥ 1, and the
    centre is cut out. reading: its words of the column ``reading``; without them a
    rotation that EXIF asks for is not applied, as ImageNet's pipelines do not, and what is
    transparent becomes white. Raises ``DataError``, naming the file, if it cannot be decoded.
    """
    words = reading.split()
    background = next((word for word in words if word.startswith("#")), WHITE)
    image = centre_first(decode(path, background, upright=UPRIGHT in words).image)
    target = round(resize * size)
    scale = target / min(image.size)
    image = image.resize(
        tuple(max(target, round(side * scale)) for side in image.size), Image.BICUBIC
    )
    left, top = ((side - size) // 2 for side in image.size)
    image = image.crop((left, top, left + size, top + size))
    return np.asarray(image).transpose(2, 0, 1).copy()
