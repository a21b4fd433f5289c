"""Finished distilled sets, made elsewhere, as class folders of images.

Either one set, ``root/<class>/*``, or one for each seed, ``root/seed~<s>/<class>/*``, as
``export.write_class_folders`` writes them. Classes have the names of the dataset's (for
ImageNet's, the wnids), or numbers (``numbering``), with leading zeros or without, and maybe with
the same word before all of them (SRe2L's ``new000``). Files that are no images by their name, and
names that begin with a dot, are passed over. Imports no torch: configs are checked with it.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.kinds import IMAGE_SUFFIXES
from lighthouse.datasets.numbering import DATASET, IMAGENET, Numbering, numbering
from lighthouse.datasets.soft_labels import FILE, labels_problem, read_labels
from lighthouse.datasets.walking import shown, subfolders
from lighthouse.runtime.counting import many
from lighthouse.runtime.errors import DataError

LAYOUT = (
    "images belong in <class>/ below root, or in seed~<s>/<class>/ where there are several sets"
)
#: Names that a message lists before it breaks off.
SHOWN = 5
SEED = re.compile(r"seed~(0|[1-9]\d*)")
#: A folder that is a number, maybe behind a word: ``217``, ``00217``, ``new217``.
NUMBER = re.compile(r"(?P<word>\D*)(?P<number>[0-9]{1,9})")
#: Which images are taken where a class has more than the ipc: none may have more, or the first.
ALL, FIRST = "all", "first"


@dataclass(frozen=True)
class Way:
    """How a finished set is taken, as its entry of ``external`` says.

    order: of numbers of classes (``numbering``). take: ``all`` where each class has exactly the
    ipc, ``first`` for the first of more by file name. labels: what its own soft labels are
    (``soft_labels``); None where it has none.
    """

    order: str = DATASET
    take: str = ALL
    labels: str | None = None


def seed_folders(root: Path) -> dict[int, Path]:
    """The sets of a root by seed; empty where it holds one set, without seeds."""
    matches = (SEED.fullmatch(name) for name in subfolders(root))
    return {int(match[1]): root / match[0] for match in matches if match}


def folders_for(root: Path, seeds: Sequence[int]) -> dict[int, Path]:
    """The folder of each seed's set.

    A set without seeds is every seed's: the variance between sets is then 0 by
    construction, and only that between students is measured. Raises ``KeyError`` where
    there are sets by seed, and one is absent.
    """
    found = seed_folders(root)
    return {seed: found[seed] if found else root for seed in seeds}


def class_folders(folder: Path, classes: Sequence[str], order: str = DATASET) -> dict[str, str]:
    """The name of each class's folder in a set: its own, or its number where all are numbers.

    Of a set that is neither, the classes' own names, of which ``problems`` tells what is wrong.
    Where a folder has the name of a class, all are taken for names. Raises ``DataError`` where the
    classes have no number in that order.
    """
    found = subfolders(folder)
    own = {name: name for name in classes}
    by_number = _by_number(found)
    if set(found) & set(classes) or not by_number:
        return own
    numbers = numbering(order, classes).numbers
    if set(by_number) != set(numbers):
        return own
    return {name: by_number[number] for name, number in zip(classes, numbers, strict=True)}


def numbered(folder: Path, classes: Sequence[str], order: str = DATASET) -> str | None:
    """Which class each number of a set's folders was taken for; None where they have names."""
    folders = class_folders(folder, classes, order)
    if all(name == given for name, given in folders.items()):
        return None
    pairs = [f"{given} is {shown(name)}" for name, given in folders.items()]
    shortened = ", ".join(pairs[:SHOWN]) + " …" * (len(pairs) > SHOWN)
    words = numbering(order, classes).words
    return f"{folder}: folders are numbers, taken in {words}: {shortened}"


def problems(
    root: Path, ipc: int, classes: Sequence[str], seeds: Sequence[int], way: Way = Way()
) -> list[str]:
    """What is wrong with an external set, one line each; reads names of files, and no image.

    classes: the dataset's names. seeds: of the study, all of which must be there where
    the sets have seeds; more of them are passed over.
    """
    if not root.is_dir():
        return [f"{root}: no such folder; {LAYOUT}"]
    try:
        numbers = numbering(way.order, classes)
    except DataError as error:
        if way.order != IMAGENET:
            return [str(error)]
        return [f"{root}: order 'imagenet': {error}; or `order`, a file of names in their order"]
    found = seed_folders(root)
    if not found:
        return _problems_of_set(root, ipc, classes, way, numbers)
    beside = sorted(set(subfolders(root)) - {folder.name for folder in found.values()})
    lines = []
    if beside:
        lines.append(f"{root}: folders beside those of the seeds: {_some(beside)}; {LAYOUT}")
    absent = [f"seed~{seed}" for seed in seeds if seed not in found]
    if absent:
        lines.append(
            f"{root}: no folder {_some(absent)}; it holds "
            f"{_some([f'seed~{seed}' for seed in sorted(found)])}; allowed: a folder for each of "
            "run.seeds, or class folders alone"
        )
    for seed in seeds:
        if seed in found:
            lines += _problems_of_set(found[seed], ipc, classes, way, numbers)
    return lines


def read_external(
    folder: Path,
    ipc: int,
    classes: Sequence[str],
    size: int,
    threads: int = 1,
    way: Way = Way(),
) -> np.ndarray:
    """Images of a set without ``problems``, (C, ipc, 3, size, size) uint8 RGB.

    Of each class in the order of their file names; scaled and cut as the dataset's own
    images are (``read_image``). Raises ``DataError``, naming the file, at one that cannot
    be decoded.
    """
    rows = [
        ("train", label, name, path.relative_to(folder).as_posix())
        for label, (name, given) in enumerate(class_folders(folder, classes, way.order).items())
        for path in _images(folder / given)[:ipc]
    ]
    images = ImageIndex(folder, tuple(rows)).images("train", size, threads)
    return images.reshape(len(classes), ipc, *images.shape[1:])


def read_own_labels(folder: Path, ipc: int, classes: Sequence[str], way: Way) -> np.ndarray:
    """The soft labels of the same images as logits, (C, ipc, C) float32 (``soft_labels``).

    Of a ``way`` with ``labels``. Raises ``DataError`` at values that are none.
    """
    folders, first, rows = class_folders(folder, classes, way.order), 0, {}
    for given in sorted(folders.values()):
        rows[given] = np.arange(first, first + ipc)
        first += len(_images(folder / given))
    ordered = np.stack([rows[given] for given in folders.values()])
    return read_labels(folder, way.labels, numbering(way.order, classes), ordered)


def fingerprint(root: Path, way: Way = Way()) -> str:
    """A digest of the names, sizes and times of change of all files that a set is read from.

    As a parameter of a rule it makes Snakemake read a set again that has changed.
    """
    sha = hashlib.sha256()

    def add(name: object, path: Path) -> None:
        state = path.stat()
        sha.update(b"%b\0%d\0%d\n" % (os.fsencode(name), state.st_size, state.st_mtime_ns))

    with suppress(OSError):  # which is told when jobs are about to start
        sets = (list(seed_folders(root).values()) or [root]) if root.is_dir() else []
        for folder in sets:
            for path in (image for name in subfolders(folder) for image in _images(folder / name)):
                add(path.relative_to(root), path)
            if way.labels:
                add((folder / FILE).relative_to(root), folder / FILE)
        if way.order not in (DATASET, IMAGENET):
            add("order", Path(way.order))
    return sha.hexdigest()[:16]


def _problems_of_set(
    folder: Path, ipc: int, classes: Sequence[str], way: Way, numbers: Numbering
) -> list[str]:
    found, folders = set(subfolders(folder)), class_folders(folder, classes, way.order)
    absent = [name for name, given in folders.items() if given not in found]
    unknown = sorted(found - set(folders.values()))
    loose = [path.name for path in _images(folder)]
    lines = []
    if absent:
        lines.append(
            f"{folder}: {many(len(absent), 'class')} without a folder: {_some(absent)}; make one "
            f"for each, with {many(ipc, 'image')} in it"
        )
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        lines.append(
            f"{folder}: {many(len(unknown), 'folder')} that {verb} no class: {_some(unknown)}; "
            f"allowed: {_some(classes)}; or {_numbers_in_words(numbers)} for all classes"
            + _other_order(found, classes, way.order)
        )
    if loose:
        lines.append(
            f"{folder}: {many(len(loose), 'image')} in no class folder: {_some(loose)}; {LAYOUT}"
        )
    counts = {given: len(_images(folder / given)) for given in folders.values() if given in found}
    lines += _wrong_counts(folder, ipc, counts, way.take)
    if way.labels and not lines and (told := labels_problem(folder, sum(counts.values()), numbers)):
        lines.append(told)
    return lines


def _wrong_counts(folder: Path, ipc: int, counts: dict[str, int], take: str) -> list[str]:
    """What is wrong with the number of images in class folders; at most a line."""
    if take == FIRST:
        few = [f"{name} ({count})" for name, count in counts.items() if count < ipc]
        if not few:
            return []
        return [
            f"{folder}: {many(len(few), 'class')} of fewer images than the ipc, {ipc}: {_some(few)}"
        ]
    wrong = [f"{name} ({count})" for name, count in counts.items() if count != ipc]
    if not wrong:
        return []
    line = (
        f"{folder}: {many(len(wrong), 'class')} whose number of images is not the ipc, {ipc}: "
        f"{_some(wrong)}"
    )
    if min(counts.values()) >= ipc:
        line += f"; `take: first` takes the first {ipc} of each by file name"
    return [line]


def _by_number(found: Sequence[str]) -> dict[int, str]:
    """Folders by their numbers; empty where not all have one of their own, behind one word."""
    matches = [NUMBER.fullmatch(name) for name in found]
    if not all(matches) or len({match["word"] for match in matches if match}) != 1:
        return {}
    by_number = {int(match["number"]): match[0] for match in matches if match}
    return by_number if len(by_number) == len(found) else {}


def _numbers_in_words(numbers: Numbering) -> str:
    """The numbers that folders may have, for a message."""
    if numbers.numbers == tuple(range(numbers.total)):
        return f"the numbers 0 to {numbers.total - 1}"
    return f"the numbers {_some([str(number) for number in numbers.numbers])} ({numbers.words})"


def _other_order(found: Iterable[str], classes: Sequence[str], order: str) -> str:
    """The order in which a set's numbers would be the classes', for a message; maybe none."""
    by_number = _by_number(sorted(found))
    for other in (DATASET, IMAGENET):
        with suppress(DataError):
            if other != order and set(by_number) == set(numbering(other, classes).numbers):
                return f"; these are all classes with `order: {other}`"
    return ""


def _images(folder: Path) -> list[Path]:
    """The images in a folder itself, by name."""
    return sorted((path for path in folder.iterdir() if _is_image(path)), key=lambda p: p.name)


def _is_image(path: Path) -> bool:
    name = path.name
    return path.suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".") and path.is_file()


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:SHOWN])) + " …" * (len(names) > SHOWN)
