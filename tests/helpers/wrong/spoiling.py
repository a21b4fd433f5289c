"""What is done to a right file or folder to make it wrong, in the words of an entry's ``spoil``."""

import os
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image


def spoil(root: Path, deeds: Sequence[Sequence]) -> None:
    """Do each deed, ``[its name, a path below root, more …]``."""
    for name, path, *more in deeds:
        DEEDS[name](root / path, *more)


def _cut(path: Path, size: int) -> None:
    """Keep so many bytes, or of a negative number leave out so many at the end."""
    path.write_bytes(path.read_bytes()[:size])


def _write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _link(path: Path, target: str) -> None:
    path.symlink_to(target)


def _rename(path: Path, name: str) -> None:
    """To a name beside it, or ``../`` it."""
    path.rename(path.parent / name)


def _folder(path: Path) -> None:
    path.mkdir(parents=True)


def _file_of_bytes(path: Path, text: str) -> None:
    """A file whose name's bytes are those of Latin-1."""
    noted = os.fsencode(path.parent) + b"/" + text.encode("latin-1")
    Path(os.fsdecode(noted)).write_bytes(b"")


def _bomb(path: Path, side: int) -> None:
    """A PNG of some bytes that says it has ``side`` times ``side`` pixels."""
    Image.new("L", (1, 1)).save(path)
    held = bytearray(path.read_bytes())
    held[16:24] = struct.pack(">II", side, side)
    path.write_bytes(held)


def _damage(path: Path, at: int) -> None:
    """Turn one byte."""
    held = bytearray(path.read_bytes())
    held[at] ^= 255
    path.write_bytes(held)


DEEDS: dict[str, Callable] = {
    "bomb": _bomb,
    "cut": _cut,
    "damage": _damage,
    "file of bytes": _file_of_bytes,
    "folder": _folder,
    "link": _link,
    "remove": _remove,
    "rename": _rename,
    "write": _write,
}
