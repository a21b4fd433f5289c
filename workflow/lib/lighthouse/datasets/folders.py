"""Datasets of one's own files: ``root/train/<class>/*`` and ``root/val/<class>/*``.

The folder ``val`` becomes the part test; the part val, for choices, is held out of
``train``. Files within a class may lie in folders of their own. Names that begin with a
dot (.DS_Store, .git) are no data and are passed over in silence; all other files that
are not images are listed.
"""

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lighthouse.datasets.index import PARTS, ImageIndex, decode, write_rows
from lighthouse.datasets.labels import LabelSet
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import in_words
from lighthouse.runtime.job import log, progress

#: The part of the index that a folder's images become.
PARTS_OF = {"train": "train", "val": "test"}
#: As torchvision's ImageFolder has them; upper case counts too.
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}
)
#: What names may be, for messages.
PLAIN = "allowed: UTF-8 without line breaks, tabs and other control characters"
#: Files that one task of the pool decodes: a million tasks of one file would fill memory.
FILES_A_TASK = 64


@dataclass(frozen=True)
class Tree:
    """A root with its class folders.

    labels: which folders are classes, and their order; None takes all folders of
    ``train`` by name. layout: what belongs where, for messages.
    """

    root: Path
    labels: LabelSet | None
    layout: str

    def classes(self) -> list[str]:
        """Names of the class folders in label order. Raises ``DataError`` if there are none."""
        train = self.root / "train"
        if not train.is_dir():
            raise DataError(f"{train}: no such folder; {self.layout}")
        found = subfolders(train)
        if not found:
            raise DataError(f"{train}: holds no class folders; {self.layout}")
        _check_names(train, found)
        try:
            return self.labels.order(found) if self.labels else found
        except ValueError as error:
            raise DataError(f"{train}: {error}") from None

    def missing(self, least: int = 1, val_share: float = 0.0) -> list[str]:
        """What the root lacks, one line each; reads names of files, and no image.

        least: training images that every class must have besides the ``val_share`` held
        out.
        """
        val = self.root / "val"
        if not self.root.is_dir():
            return [f"{self.root}: no such folder; {self.layout}"]
        try:
            classes = self.classes()
            if not val.is_dir():
                return [f"{val}: no such folder; {self.layout}"]
            in_train, in_val = set(subfolders(self.root / "train")), set(subfolders(val))
            _check_names(val, sorted(in_val))
        except DataError as error:
            return [str(error)]
        if not in_val:
            loose = sum(path.is_file() for path in val.iterdir())
            return [f"{val}: holds {loose} files and no class folders; {self.layout}"]
        lines = []
        for part, found in (("train", in_train), ("val", in_val)):
            absent = [name for name in classes if name not in found]
            if absent:
                lines.append(
                    f"{self.root / part}: {len(absent)} class(es) without a folder: "
                    f"{', '.join(absent)}"
                )
            loose = sorted(shown(p.name) for p in (self.root / part).iterdir() if _is_image(p))
            if loose:
                lines.append(
                    f"{self.root / part}: {len(loose)} images lie in no class folder: "
                    f"{', '.join(loose[:5])}{' …' * (len(loose) > 5)}"
                )
        lines += [
            f"{self.root / 'train'}: classes {name} and {other} differ in case alone, and are one "
            "folder on some disks; rename one of them"
            for name, other in _alike(classes)
        ]
        if len(classes) == 1:
            lines.append(f"{self.root / 'train'}: one class alone; allowed: two or more")
        surplus = sorted(in_val - in_train) if self.labels is None else []
        if surplus:
            lines.append(f"{val}: classes that train/ does not have: {', '.join(surplus)}")
        try:
            for name in classes:
                if name in in_train:
                    lines += self._too_few(name, least, val_share)
                if name in in_val and not any(_images(val / name)):
                    lines.append(f"{val / name}: holds no images")
        except DataError as error:  # a folder that cannot be read
            lines.append(str(error))
        return lines

    def state(self) -> str:
        """A digest of the names and sizes of all images, by which others than before are told.

        Of what cannot be listed it is that of what can: the rest is told before jobs start.
        """
        sha = hashlib.sha256()
        with suppress(DataError, OSError):
            for part in PARTS_OF:
                for name in subfolders(self.root / part):
                    for path in sorted(_images(self.root / part / name)):
                        file = os.fsencode(path.relative_to(self.root))
                        sha.update(b"%b\0%d\n" % (file, path.stat().st_size))
        return sha.hexdigest()[:16]

    def _too_few(self, name: str, least: int, val_share: float) -> list[str]:
        folder = self.root / "train" / name
        count = sum(1 for _ in _images(folder))
        left = count - held_out(count, val_share)
        if not count:
            return [f"{folder}: holds no images"]
        if left < least:
            return [f"{folder}: {left} images for training, of {least} that the study needs"]
        return []

    def build(
        self, folder: Path, val_share: float = 0.0, bad_files: str = "stop", threads: int = 1
    ) -> None:
        """Write ``folder/index.tsv`` over the images, and ``folder/rejected.tsv``.

        Decodes every image once, by ``threads`` threads. bad_files: at files that are no
        images or cannot be decoded, ``stop`` raises ``DataError`` with all their names
        and writes no index; ``skip`` leaves them out. ``rejected.tsv`` has them in
        either case: path, reason.
        """
        classes = self.classes()
        files = [
            (part, label, path)
            for part in PARTS_OF
            for label, name in enumerate(classes)
            for path in sorted(_files(self.root / part / name), key=str)
        ]
        faults = _faults([path for *_, path in files], threads)
        rejected = [
            (shown(path.relative_to(self.root).as_posix()), fault)
            for (*_, path), fault in zip(files, faults, strict=True)
            if fault
        ]
        write_rows(folder / "rejected.tsv", ("path", "reason"), rejected)
        listed = "".join(f"\n  {path}: {fault}" for path, fault in rejected)
        if rejected and bad_files == "stop":
            raise DataError(
                f"{len(rejected)} of {len(files)} files below {self.root} cannot be used:{listed}\n"
                "Repair or remove them, or leave them out with bad_files: skip"
            )
        if rejected:
            log.warning("left out %d of %d files:%s", len(rejected), len(files), listed)
        good: dict[tuple[str, int], list[Path]] = {}
        for (part, label, path), fault in zip(files, faults, strict=True):
            if not fault:
                good.setdefault((part, label), []).append(path)
        rows = []
        for label, name in enumerate(classes):
            for part in PARTS_OF:
                if (part, label) not in good:
                    raise DataError(f"{self.root / part / name}: holds no image that can be used")
            held = self._held_out(good["train", label], val_share)
            rows += [
                ("val" if path in held else PARTS_OF[part], label, name, path.as_posix())
                for part in PARTS_OF
                for path in good[part, label]
            ]
        rows.sort(key=lambda row: (PARTS.index(row[0]), row[1], row[3]))
        ImageIndex.write(folder / "index.tsv", rows)

    def _held_out(self, paths: Sequence[Path], val_share: float) -> set[Path]:
        """The files of a class that are held out: those whose names have the lowest digests.

        So another order of listing, another machine or another root changes nothing.
        """

        def rank(path: Path) -> bytes:
            return hashlib.sha256(path.relative_to(self.root).as_posix().encode()).digest()

        return set(sorted(paths, key=rank)[: held_out(len(paths), val_share)])


def held_out(count: int, val_share: float) -> int:
    """How many of a class's ``count`` training images are held out; never all."""
    return min(round(val_share * count), max(count - 1, 0))


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _check_names(folder: Path, names: Sequence[str]) -> None:
    """Raise ``DataError`` at names of a folder's classes that no table holds."""
    if odd := [ascii(name) for name in names if not _is_plain(name)]:
        raise DataError(
            f"{folder}: classes of names that no table holds: {', '.join(odd)}; {PLAIN}"
        )


def _is_plain(name: str) -> bool:
    """Whether tables and messages can hold a name: no control character, line break or surrogate.

    By surrogates Python stands for bytes of a name that are not UTF-8.
    """
    return not {unicodedata.category(letter) for letter in name} & {"Cc", "Cs", "Zl", "Zp"}


def _alike(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of names, neighbours when sorted, that differ in case alone."""
    ordered = sorted(names, key=str.casefold)
    return [(a, b) for a, b in pairwise(ordered) if a.casefold() == b.casefold()]


def _files(folder: Path) -> Iterator[Path]:
    """All files of a class but hidden ones, those in folders within it too.

    Raises ``DataError`` at a link that leads back to a folder above it.
    """
    for place, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for link in (Path(place, name) for name in folders):
            if link.is_symlink() and link.resolve() in Path(place).resolve().parents:
                raise DataError(f"{link}: a link to a folder that it lies in; remove it")
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _raise(error: OSError) -> None:
    """``os.walk`` would pass over a folder that it may not read."""
    raise DataError(in_words(error) or str(error)) from None


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def _images(folder: Path) -> Iterator[Path]:
    return filter(_is_image, _files(folder))


def shown(path: str) -> str:
    """A path as tables and messages have it: what no text can hold is written as Python does."""
    return path if _is_plain(path) else ascii(path)[1:-1]


def _faults(paths: Sequence[Path], threads: int) -> list[str | None]:
    """Why each file cannot be used, or None if it can."""
    tasks = [paths[start : start + FILES_A_TASK] for start in range(0, len(paths), FILES_A_TASK)]
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda some: [_fault(path) for path in some], tasks)
        unit = f"×{FILES_A_TASK} files"
        return [r for some in progress(found, "images", len(tasks), unit) for r in some]


def _fault(path: Path) -> str | None:
    if not _is_plain(path.name):
        return f"a name that no table holds; {PLAIN}"
    if not _is_image(path):
        return f"not an image file: its name ends in {path.suffix!r}"
    try:
        decode(path)
    except DataError as error:
        return str(error).removeprefix(f"{path}: ")
    return None
