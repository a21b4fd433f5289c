"""Finished distilled sets, made elsewhere, as class folders of images.

Either one set, ``root/<class>/*``, or one for each seed, ``root/seed~<s>/<class>/*``, as
``export.write_class_folders`` writes them. Classes have the names of the dataset's (for
ImageNet's, the wnids), or their numbers in the dataset's order, from 0 and with leading zeros or
without. Files that are no images by their name, and names that begin with a dot, are passed over.
Imports no torch: configs are checked with it.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.kinds import IMAGE_SUFFIXES
from lighthouse.datasets.walking import shown, subfolders
from lighthouse.runtime.counting import many

LAYOUT = (
    "images belong in <class>/ below root, or in seed~<s>/<class>/ where there are several sets"
)
#: Names that a message lists before it breaks off.
SHOWN = 5
SEED = re.compile(r"seed~(0|[1-9]\d*)")
NUMBER = re.compile(r"[0-9]{1,9}")


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


def class_folders(folder: Path, classes: Sequence[str]) -> dict[str, str]:
    """The name of each class's folder in a set: its own, or its number where all are numbers.

    Of a set that is neither, the classes' own names, of which ``problems`` tells what is wrong.
    """
    found = subfolders(folder)
    own = {name: name for name in classes}
    if set(found) == set(classes) or not all(map(NUMBER.fullmatch, found)):
        return own
    by_number = {int(name): name for name in found}
    if len(found) != len(classes) or sorted(by_number) != list(range(len(classes))):
        return own
    return {name: by_number[label] for label, name in enumerate(classes)}


def numbered(folder: Path, classes: Sequence[str]) -> str | None:
    """Which class each number of a set's folders was taken for; None where they have names."""
    folders = class_folders(folder, classes)
    if all(name == given for name, given in folders.items()):
        return None
    pairs = [f"{given} is {shown(name)}" for name, given in folders.items()]
    shortened = ", ".join(pairs[:SHOWN]) + " …" * (len(pairs) > SHOWN)
    return f"{folder}: folders are numbers, taken in the order of the classes: {shortened}"


def problems(root: Path, ipc: int, classes: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """What is wrong with an external set, one line each; reads names of files, and no image.

    classes: the dataset's names. seeds: of the study, all of which must be there where
    the sets have seeds; more of them are passed over.
    """
    if not root.is_dir():
        return [f"{root}: no such folder; {LAYOUT}"]
    found = seed_folders(root)
    if not found:
        return _problems_of_set(root, ipc, classes)
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
            lines += _problems_of_set(found[seed], ipc, classes)
    return lines


def read_external(
    folder: Path, ipc: int, classes: Sequence[str], size: int, threads: int = 1
) -> np.ndarray:
    """Images of a set without ``problems``, (C, ipc, 3, size, size) uint8 RGB.

    Of each class in the order of their file names; scaled and cut as the dataset's own
    images are (``read_image``). Raises ``DataError``, naming the file, at one that cannot
    be decoded.
    """
    rows = [
        ("train", label, name, path.relative_to(folder).as_posix())
        for label, (name, given) in enumerate(class_folders(folder, classes).items())
        for path in _images(folder / given)
    ]
    images = ImageIndex(folder, tuple(rows)).images("train", size, threads)
    return images.reshape(len(classes), ipc, *images.shape[1:])


def fingerprint(root: Path) -> str:
    """A digest of the names, sizes and times of change of all images below a root.

    As a parameter of a rule it makes Snakemake read a set again that has changed.
    """
    sha = hashlib.sha256()
    with suppress(OSError):  # which is told when jobs are about to start
        sets = (list(seed_folders(root).values()) or [root]) if root.is_dir() else []
        for folder in sets:
            for path in (image for name in subfolders(folder) for image in _images(folder / name)):
                state, name = path.stat(), os.fsencode(path.relative_to(root))
                sha.update(b"%b\0%d\0%d\n" % (name, state.st_size, state.st_mtime_ns))
    return sha.hexdigest()[:16]


def _problems_of_set(folder: Path, ipc: int, classes: Sequence[str]) -> list[str]:
    found, folders = set(subfolders(folder)), class_folders(folder, classes)
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
        lines.append(
            f"{folder}: {many(len(unknown), 'folder')} that are no class: {_some(unknown)}; "
            f"allowed: {_some(classes)}; or the numbers 0 to {len(classes) - 1} for all classes"
        )
    if loose:
        lines.append(
            f"{folder}: {many(len(loose), 'image')} in no class folder: {_some(loose)}; {LAYOUT}"
        )
    counts = {given: len(_images(folder / given)) for given in folders.values() if given in found}
    wrong = [f"{name} ({count})" for name, count in counts.items() if count != ipc]
    if wrong:
        lines.append(
            f"{folder}: {many(len(wrong), 'class')} whose number of images is not the ipc, {ipc}: "
            f"{_some(wrong)}"
        )
    return lines


def _images(folder: Path) -> list[Path]:
    """The images in a folder itself, by name."""
    return sorted((path for path in folder.iterdir() if _is_image(path)), key=lambda p: p.name)


def _is_image(path: Path) -> bool:
    name = path.name
    return path.suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".") and path.is_file()


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:SHOWN])) + " …" * (len(names) > SHOWN)
