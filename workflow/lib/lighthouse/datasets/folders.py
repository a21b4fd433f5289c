"""Datasets of class folders: ``root/train/<class>/*`` and ``root/val/<class>/*``.

The folder ``val`` becomes the part test; the part val, for choices, is held out of
``train``. A folder of one's own images may be laid out in other ways (``layout``), is
split where it has no parts, and has no photograph on two sides of a split. Files within a
class may lie in folders of their own. All files that cannot be used are listed.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from lighthouse.datasets import findings
from lighthouse.datasets.decoding import WHITE
from lighthouse.datasets.duplicates import groups
from lighthouse.datasets.findings import Entry, Survey
from lighthouse.datasets.index import PARTS, UPRIGHT, ImageIndex, write_rows
from lighthouse.datasets.labels import LabelSet
from lighthouse.datasets.layout import Layout, find_layout
from lighthouse.datasets.overlaps import left_out
from lighthouse.datasets.scanning import scan
from lighthouse.datasets.splitting import TEST_SHARE, divided, held_for_test, held_out, rank
from lighthouse.datasets.walking import (
    Passed,
    alike,
    check_names,
    files,
    hidden_classes,
    images,
    leads_up,
    loose_images,
    shown,
    subfolders,
)
from lighthouse.runtime.counting import many
from lighthouse.runtime.errors import DataError

#: Of a class's folder.
EMPTY = "holds no images; put some there, or remove the class"


@dataclass(frozen=True)
class Tree:
    """A root with its class folders.

    labels: which folders are classes, and their order; None takes all folders of
    ``train`` by name. where: what belongs where, for messages. own: whether it is of one's
    own images, which may be laid out in other ways than ImageNet's.
    """

    root: Path
    labels: LabelSet | None
    where: str
    own: bool = False

    @cached_property
    def layout(self) -> Layout:
        """Where its parts are. Raises ``DataError`` where they are nowhere."""
        if self.own:
            return find_layout(self.root)
        folders = {"train": self.root / "train", "test": self.root / "val"}
        return Layout("parts", self.root, folders)

    def classes(self) -> list[str]:
        """Names of the class folders in label order. Raises ``DataError`` if there are none."""
        train = self.layout.train
        if not train.is_dir():
            raise DataError(f"{train}: no such folder; {self.where}")
        found = subfolders(train)
        if not found:
            raise DataError(f"{train}: holds no class folders; {self.where}")
        check_names(train, found)
        try:
            return self.labels.order(found) if self.labels else found
        except ValueError as error:
            raise DataError(f"{train}: {error}") from None

    def missing(
        self, least: int = 1, val_share: float = 0.0, test_share: float | None = None
    ) -> list[str]:
        """What the root lacks, one line each; reads names of files, and no image.

        least: training images that every class must have besides the ``val_share`` held
        out, and the ``test_share`` where the root has no parts.
        """
        if not self.root.is_dir():
            return [f"{self.root}: no such folder; {self.where}"]
        try:
            classes, folders = self.classes(), self.layout.folders
            train = set(subfolders(self.layout.train))
            others = {part: f for part, f in folders.items() if f != self.layout.train}
            for folder in others.values():
                if not folder.is_dir():
                    return [f"{folder}: no such folder; {self.where}"]
            found = {part: set(subfolders(folder)) for part, folder in others.items()}
            for part, names in found.items():
                check_names(folders[part], sorted(names))
        except DataError as error:
            return [str(error)]
        for part, names in found.items():
            if not names:
                loose = sum(path.is_file() for path in folders[part].iterdir())
                return [f"{folders[part]}: holds {loose} files and no class folders; {self.where}"]
        lines = []
        for folder, names in (
            (self.layout.train, train),
            *((folders[part], names) for part, names in found.items()),
        ):
            lines += _not_matching(folder, classes, names)
        lines += [
            f"{self.layout.train}: classes {pair}, and are one folder on some disks; rename one "
            "of them"
            for pair in alike(classes)
        ]
        if len(classes) == 1:
            lines.append(
                f"{self.layout.train}: one class alone, on which accuracy is 100 % by itself; "
                "allowed: two or more"
            )
        for part, names in found.items():
            surplus = sorted(names - train) if self.labels is None else []
            if surplus:
                lines.append(
                    f"{folders[part]}: classes that {self.layout.train.name}/ does not have: "
                    f"{', '.join(surplus)}"
                )
        lines += self._parts_twice(val_share, test_share)
        try:
            for name in classes:
                if name in train:
                    lines += self._too_few(name, least, val_share, test_share)
                for part, names in found.items():
                    if name in names and not any(images(folders[part] / name)):
                        lines.append(f"{folders[part] / name}: {EMPTY}")
        except DataError as error:  # a folder that cannot be read
            lines.append(str(error))
        return lines

    def state(self) -> str:
        """A digest of the names and sizes of all images, by which others than before are told.

        Of what cannot be listed it is that of what can: the rest is told before jobs start.
        """
        sha = hashlib.sha256()
        with suppress(DataError, OSError):
            for folder in self.layout.folders.values():
                for name in subfolders(folder):
                    for path in sorted(images(folder / name)):
                        file = os.fsencode(path.relative_to(self.layout.base))
                        sha.update(b"%b\0%d\n" % (file, path.stat().st_size))
        return sha.hexdigest()[:16]

    def holds_out(self) -> bool:
        """Whether it has a part val of its own. Looks at names of folders."""
        with suppress(DataError, OSError):
            return "val" in self.layout.folders
        return False

    def _parts_twice(self, val_share: float, test_share: float | None) -> list[str]:
        """A line for each share of a part that the root has."""
        lines = []
        if "val" in self.layout.folders and val_share:
            lines.append(
                f"{self.layout.folders['val']}: is the part val already, and val_share is "
                f"{val_share:g}; allowed: 0"
            )
        if "test" in self.layout.folders and test_share is not None:
            lines.append(
                f"{self.layout.folders['test']}: is the part test already, and test_share would "
                "have no effect; leave it out"
            )
        return lines

    def _too_few(
        self, name: str, least: int, val_share: float, test_share: float | None
    ) -> list[str]:
        folder = self.layout.train / name
        count = sum(1 for _ in images(folder))
        if not count:
            return [f"{folder}: {EMPTY}"]
        if self.layout.kind == "classes":
            if count == 1:
                return [f"{folder}: 1 image; a class needs one to train with and one to test"]
            count -= held_for_test(count, TEST_SHARE if test_share is None else test_share)
        left = count - held_out(count, val_share)
        if left < least:
            return [
                f"{folder}: {many(left, 'image')} for training, of {least} that the study needs"
            ]
        return []

    def survey(
        self, threads: int = 1, faults: Sequence[str] = (), background: str = WHITE
    ) -> Survey:
        """What the folders hold; opens every file once. faults: known already."""
        classes = self.classes()
        entries, lines = self._look(classes, threads, background)
        good = [entry for entry in entries if not entry.seen.fault]
        faults, parts, placed = [*faults], [entry.part for entry in good], ()
        if not faults:
            try:
                self._check_none_is_empty(classes, good)
                good, alike_in, _, told = self._apart(classes, good)
                lines += told
                parts = [entry.part for entry in good]
                self._split(classes, good, alike_in)
                known = zip(good, alike_in, strict=True)
                placed = tuple((e.label, rank(e.name), int(g), e.part) for e, g in known)
            except DataError as error:
                faults.append(str(error))
        return replace(self._survey(classes, good, parts, lines, faults), placed=placed)

    def build(
        self,
        folder: Path,
        val_share: float = 0.0,
        bad_files: str = "stop",
        threads: int = 1,
        test_share: float | None = None,
        background: str = WHITE,
        image_size: int = 0,
    ) -> Survey:
        """Write ``folder/index.tsv`` over the images, and ``folder/rejected.tsv``.

        Decodes every image once, by ``threads`` threads. bad_files: at files that are no
        images or cannot be decoded, ``stop`` raises ``DataError`` with all their names
        and writes no index; ``skip`` leaves them out. ``rejected.tsv`` has them in
        either case: path, reason. test_share: of each class's images, where the root has no
        parts; ``TEST_SHARE`` if None. image_size: side in pixels that images are scaled to,
        for what is said of smaller ones.
        """
        classes = self.classes()
        entries, lines = self._look(classes, threads, background)
        rejected = [(shown(e.name), shown(e.seen.fault)) for e in entries if e.seen.fault]
        write_rows(folder / "rejected.tsv", ("path", "reason"), rejected)
        if rejected and bad_files == "stop":
            listed = "".join(f"\n  {path}: {fault}" for path, fault in rejected)
            raise DataError(
                f"{len(rejected)} of {len(entries)} files below {self.layout.base} cannot be used:"
                f"{listed}\nRepair or remove them, or leave them out with bad_files: skip"
            )
        good = [entry for entry in entries if not entry.seen.fault]
        self._check_none_is_empty(classes, good)
        good, alike_in, also, told = self._apart(classes, good)
        if also:
            write_rows(folder / "rejected.tsv", ("path", "reason"), rejected + also)
        lines += told
        parts = self._split(classes, good, alike_in, val_share, test_share)
        lines += findings.smaller(good, image_size)
        rows = [
            (str(part), entry.label, classes[entry.label], entry.path.as_posix())
            for part, entry in zip(parts, good, strict=True)
        ]
        rows.sort(key=lambda row: (PARTS.index(row[0]), row[1], row[3]))
        ImageIndex.write(folder / "index.tsv", rows, self._readings(good, background))
        return self._survey(classes, good, parts, lines, ())

    def _look(
        self, classes: Sequence[str], threads: int, background: str
    ) -> tuple[list[Entry], list[str]]:
        """All files of the classes by part, label and name, and what is odd about them."""
        layout, passed = self.layout, Passed()
        found = [
            (part, label, path)
            for part, folder in layout.folders.items()
            for label, name in enumerate(classes)
            for path in sorted(_files(folder / name, passed), key=str)
        ]
        for folder in layout.folders.values():
            for path in filter(leads_up, folder.iterdir()):
                passed.add("links", path)
        seen = scan([path for *_, path in found], threads, background, self.own)
        entries = [
            Entry(part, label, path, path.relative_to(layout.base).as_posix(), what)
            for (part, label, path), what in zip(found, seen, strict=True)
        ]
        lines = [*layout.lines]
        for folder in layout.folders.values() if self.own else ():
            lines += [
                f"Passed over, since its name begins with a dot: {folder.name}/{name} with "
                f"{many(count, 'image')}; give it another name to have it as a class."
                for name, count in hidden_classes(folder)
            ]
        return entries, lines + findings.of_files(entries, passed, layout.base, background)

    def _apart(
        self, classes: Sequence[str], good: Sequence[Entry]
    ) -> tuple[list[Entry], np.ndarray, list[tuple[str, str]], list[str]]:
        """Images without those that another part has too, and the group of each.

        Also a row for each that is left out, path and reason, and sentences about likes. Raises
        ``DataError`` at a class that has none left. Of ImageNet's nothing is looked at: its parts
        are as everybody's.
        """
        if not self.own:
            return [*good], np.arange(len(good)), [], []
        alike_in = groups([entry.seen.thumbnail for entry in good])
        rows, lines = [], []
        if self.layout.kind == "parts":
            gone, rows, lines = left_out(good, alike_in)
            good = [entry for entry, leaves in zip(good, gone, strict=True) if not leaves]
            alike_in = alike_in[~gone]
            self._check_none_is_empty(classes, good, ", or none that another part does not have")
        return [*good], alike_in, rows, [*lines, *findings.alike(good, alike_in)]

    def _split(
        self,
        classes: Sequence[str],
        good: Sequence[Entry],
        alike_in: Sequence[int],
        val_share: float = 0.0,
        test_share: float | None = None,
    ) -> np.ndarray:
        """The part of each image, (n,) str. Raises ``DataError`` at a class that has but one."""
        labels, parts = [entry.label for entry in good], [entry.part for entry in good]
        ranks, shares = [rank(entry.name) for entry in good], (test_share, val_share)
        return divided(self.layout.kind, labels, ranks, alike_in, parts, *shares, classes)

    def _check_none_is_empty(
        self, classes: Sequence[str], good: Sequence[Entry], why: str = ""
    ) -> None:
        """Raise ``DataError`` at a class that a part has no image of."""
        there = {(entry.part, entry.label) for entry in good}
        for label, name in enumerate(classes):
            for part, folder in self.layout.folders.items():
                if (part, label) not in there:
                    raise DataError(f"{folder / name}: holds no image that can be used{why}")

    def _readings(self, good: Sequence[Entry], background: str) -> dict[str, str]:
        """How images are read that are not read as others are."""
        if not self.own:
            return {}
        readings = {}
        for entry in good:
            words = [UPRIGHT] * ("turned" in entry.seen.oddities)
            words += [background] * ("transparent" in entry.seen.oddities and background != WHITE)
            if words:
                readings[entry.path.as_posix()] = " ".join(words)
        return readings

    def _survey(
        self,
        classes: Sequence[str],
        good: Sequence[Entry],
        parts: Sequence[str],
        lines: Sequence[str],
        faults: Sequence[str],
    ) -> Survey:
        of_index = {*map(str, parts)} or {*self.layout.folders}
        known = [part for part in ("all", *PARTS) if part in of_index]
        return Survey(
            self.layout.kind,
            self.layout.folders,
            tuple(classes),
            findings.counted(classes, [entry.label for entry in good], parts, known),
            findings.shorter_sides(good),
            [*lines],
            [*faults],
        )


def _files(folder: Path, passed: Passed) -> Iterable[Path]:
    """All files of a class; none where a part lacks it, which ``missing`` has told."""
    return files(folder, passed) if folder.is_dir() else ()


def _not_matching(folder: Path, classes: Sequence[str], names: set[str]) -> list[str]:
    """What a part's folder lacks of the classes, and what lies there that is of none."""
    lines = []
    absent = [name for name in classes if name not in names]
    if absent:
        lines.append(
            f"{folder}: {many(len(absent), 'class')} without a folder: {', '.join(absent)}; every "
            "class has one in each part: add it, with images, or remove the class"
        )
    loose = loose_images(folder)
    if loose:
        lines.append(
            f"{folder}: {many(len(loose), 'image')} in no class folder: "
            f"{', '.join(loose[:5])}{' …' * (len(loose) > 5)}; move them into one, or away"
        )
    return lines
