"""What is done to a right file or folder to make it wrong, in the words of an entry's ``spoil``."""

import os
import pickle
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file


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
    held[29:33] = struct.pack(">I", zlib.crc32(held[12:29]))
    path.write_bytes(held)


def _image(path: Path, mode: str, width: int, height: int) -> None:
    """A new image; its pixels have the mode's kind."""
    Image.new(mode, (width, height)).save(path)


def _floats(path: Path, values: Sequence[float]) -> None:
    """A TIFF of one row of floats."""
    Image.fromarray(np.array([values], np.float32)).save(path)


def _damage(path: Path, at: int) -> None:
    """Turn one byte."""
    held = bytearray(path.read_bytes())
    held[at] ^= 255
    path.write_bytes(held)


def _pickle(path: Path) -> None:
    """A pickle that makes a folder beside it where it is unpickled."""
    path.write_bytes(pickle.dumps(Code(path.with_name("ran"))))


class Code:
    """What unpickling it would run."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.path,)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", "b")


def _header(path: Path, length: int) -> None:
    """A safetensors file that says its header has so many bytes."""
    path.write_bytes(struct.pack("<Q", length) + b"{}")


def _bare(path: Path) -> None:
    """A safetensors file without a record."""
    save_file({"x": np.zeros(2)}, path)


def _npy(path: Path, count: int) -> None:
    np.save(path, np.zeros(count))


def _fill(path: Path, value: float, kind: str = "float32") -> None:
    """Give every number of a safetensors file a value."""
    save_file({name: np.full(x.shape, value, kind) for name, x in load_file(path).items()}, path)


def _numbered(path: Path) -> None:
    """A file of PyTorch's whose tensors have numbers for names."""
    torch.save({1: torch.zeros(3)}, path)


def _head(path: Path, head: str) -> None:
    """A file of numpy's with a head, and 32 bytes behind it."""
    noted = head.encode("latin-1") + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(noted)) + noted + bytes(32))


def _nest(path: Path, depth: int) -> None:
    path.write_text("[" * depth)


DEEDS: dict[str, Callable] = {
    "bare": _bare,
    "bomb": _bomb,
    "cut": _cut,
    "damage": _damage,
    "file of bytes": _file_of_bytes,
    "fill": _fill,
    "floats": _floats,
    "folder": _folder,
    "head": _head,
    "header": _header,
    "image": _image,
    "link": _link,
    "nest": _nest,
    "npy": _npy,
    "numbered": _numbered,
    "pickle": _pickle,
    "pipe": os.mkfifo,
    "remove": _remove,
    "rename": _rename,
    "stretch": os.truncate,
    "write": _write,
    "zip": _zip,
}
