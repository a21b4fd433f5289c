"""The files and folders of a dataset as a disk has them: links, names, what systems leave."""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from lighthouse.datasets.kinds import IMAGE_SUFFIXES, of_system, other_by_name
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import in_words

#: What names may be, for messages.
PLAIN = "allowed: UTF-8 without line breaks, tabs and other control characters"


class Passed(dict):
    """What a walk passed over: paths by kind, ``system`` (files of systems) and ``links``."""

    def add(self, kind: str, path: Path) -> None:
        """Note one."""
        self.setdefault(kind, []).append(path)


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in a folder but those that systems leave, sorted.

    A link to the folder itself or to one above it is none: it holds no further images.
    """
    return sorted(
        p.name for p in folder.iterdir() if not of_system(p.name) and p.is_dir() and not leads_up(p)
    )


def leads_up(path: Path) -> bool:
    """Whether a path is a link to the folder that it lies in, or to one above that."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def files(folder: Path, passed: Passed | None = None) -> Iterator[Path]:
    """All files of a class but those that systems leave; those in folders within it too.

    Each folder once: a link to one above it, within the class or walked already is passed over.
    Raises ``DataError`` at a folder that cannot be read.
    """
    noted = Passed() if passed is None else passed
    home = Path(os.path.realpath(folder))
    seen = {home}
    for place, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        kept = []
        for name in sorted(folders):
            path = Path(place, name)
            if of_system(name):
                noted.add("system", path)
            elif path.is_symlink() and not _is_new(path, home, seen):
                noted.add("links", path)
            else:
                kept.append(name)
        folders[:] = kept
        for name in names:
            if of_system(name):
                noted.add("system", Path(place, name))
            else:
                yield Path(place, name)


def _is_new(link: Path, home: Path, seen: set[Path]) -> bool:
    """Whether a link leads to a folder that the walk of ``home`` comes to in no other way."""
    target = Path(os.path.realpath(link))
    if target in seen or home.is_relative_to(target) or target.is_relative_to(home):
        return False
    # What is linked may hold, or lie in, what was linked before; then its files would be twice.
    if any(s.is_relative_to(target) or target.is_relative_to(s) for s in seen - {home}):
        return False
    seen.add(target)
    return True


def images(folder: Path) -> Iterator[Path]:
    """The files of a class that may be images by their names: any but those known to be others."""
    return (path for path in files(folder) if other_by_name(path) is None)


def loose_images(folder: Path) -> list[str]:
    """Names of the images that lie in a folder itself, sorted, as messages have them."""
    return sorted(
        shown(p.name)
        for p in folder.iterdir()
        if p.suffix.lower() in IMAGE_SUFFIXES and not of_system(p.name) and not p.is_dir()
    )


def hidden_classes(folder: Path) -> list[tuple[str, int]]:
    """Folders whose names begin with a dot and that hold images: their names, and how many."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") and path.is_dir():
            count = sum(p.suffix.lower() in IMAGE_SUFFIXES for p in files(path))
            if count:
                found.append((shown(path.name), count))
    return found


def check_names(folder: Path, names: Sequence[str]) -> None:
    """Raise ``DataError`` at names of a folder's classes that no table holds."""
    if odd := [ascii(name) for name in names if not is_plain(name)]:
        raise DataError(
            f"{folder}: classes of names that no table holds: {', '.join(odd)}; {PLAIN}"
        )


def is_plain(name: str) -> bool:
    """Whether tables and messages can hold a name: no control character, line break or surrogate.

    By surrogates Python stands for bytes of a name that are not UTF-8.
    """
    return not {unicodedata.category(letter) for letter in name} & {"Cc", "Cs", "Zl", "Zp"}


def shown(path: str) -> str:
    """A path as tables and messages have it: what no text can hold is written as Python does."""
    return path if is_plain(path) else ascii(path)[1:-1]


def alike(names: Sequence[str]) -> list[str]:
    """Which names, neighbours when sorted, some disks hold to be one, and why."""

    def form(name: str) -> str:
        return unicodedata.normalize("NFC", name)

    ordered = sorted(names, key=lambda name: (form(name).casefold(), name))
    return [
        f"{a} and {b} differ in case alone"
        if form(a) != form(b)
        else f"{a!a} and {b!a} are one word in two Unicode forms"
        for a, b in pairwise(ordered)
        if form(a).casefold() == form(b).casefold()
    ]


def _raise(error: OSError) -> None:
    """``os.walk`` would pass over a folder that it may not read."""
    raise DataError(in_words(error) or str(error)) from None
