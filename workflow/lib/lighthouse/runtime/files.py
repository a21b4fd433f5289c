"""Files that appear whole or not at all, and are on the disk before they have their name.

What is read here and cannot be is told in one line (``runtime.faults``).
"""

import glob
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from errno import EINVAL, ENOTSUP
from pathlib import Path

from lighthouse.runtime.faults import OURS, Read, reading, writing

#: Files that are sent to the disk at once: a file system writes several in one go.
AT_ONCE = 8
#: Bytes of the longest record that is read.
LONGEST = 2**30
#: Seconds after which what a writer on another machine left is taken for a killed one's.
A_DAY = 24 * 60 * 60


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; on success, rename it into place.

    Works for a file and for a folder (which then replaces an older one). After an
    exception nothing is left, and an older ``path`` is untouched. After a power cut there is
    the old one or the new one, whole: what is written reaches the disk before it has its name.
    Only of a folder that replaces another there may be neither, between two renames.

    Raises ``StorageError`` where the disk is full, or takes no file for another reason.
    """
    path = Path(path)
    beside, older = _beside(path, "part"), _beside(path, "old")
    try:
        with writing(path, beside):
            path.parent.mkdir(parents=True, exist_ok=True)
            clear_left(path)
            for left in (beside, older):  # an earlier process had our number
                _remove(left)
            yield beside
            _send_to_disk(beside)
            if beside.is_dir() and path.is_dir():
                path.replace(older)
            beside.replace(path)
            _sync(path.parent)
    finally:
        if os.path.lexists(older) and not os.path.lexists(path):
            older.replace(path)
        _remove(beside)
        _remove(older)


@contextmanager
def workroom(path: str | Path) -> Iterator[Path]:
    """A new folder beside ``path`` for what leads to it. It goes at the end, or as ``clear_left``
    has it."""
    room = _beside(Path(path), "work")
    try:
        with writing(path, room):
            clear_left(path)
            _remove(room)
            room.mkdir(parents=True)
            yield room
    finally:
        _remove(room)


def clear_left(path: str | Path) -> None:
    """Remove what writers of ``path`` left beside it when they were killed.

    Two may write one path at once: what belongs to a process that lives stays. A process of
    another machine cannot be asked; what it left stays for a day.
    """
    path = Path(path)
    name = re.escape(path.name), re.escape(path.suffix)
    left_by = re.compile(r"\.{}\.([\w-]+)\.(\d{{1,9}})\.(?:part|old|work){}".format(*name))
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        writer = left_by.fullmatch(left.name)
        if writer and not _may_live(writer[1], int(writer[2]), left):
            _remove(left)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{_machine()}.{os.getpid()}.{what}{path.suffix}")


def _machine() -> str:
    return re.sub(r"[^\w-]", "-", os.uname().nodename) or "-"


def _may_live(machine: str, process: int, left: Path) -> bool:
    if machine != _machine():
        with suppress(FileNotFoundError):  # removed meanwhile
            return time.time() - left.stat().st_mtime < A_DAY
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _remove(path: Path) -> None:
    """Remove a file or a folder; what does not go stays, for an error before it matters more."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _send_to_disk(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, is on the disk."""
    if path.is_dir():
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(_sync, (p for p in path.rglob("*") if not p.is_symlink())):
                pass
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (EINVAL, ENOTSUP):  # a file system that cannot do it
            raise
    finally:
        os.close(handle)


def set_aside(path: str | Path) -> None:
    """Rename a file that cannot be used to ``<name>.unreadable``, over an older one of that name.

    Of several processes that do so at once one does it.
    """
    with suppress(FileNotFoundError):
        Path(path).replace(f"{path}.unreadable")


def write_json(path: str | Path, data: Mapping) -> None:
    """Write ``data`` as indented JSON, whole or not at all. NaN is refused."""
    with whole(path) as beside:
        text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
        beside.write_text(text + "\n", encoding="utf-8")


def without_nan(data: object) -> object:
    """The same, of dictionaries, lists and numbers, with None for NaN, which JSON has not."""
    if isinstance(data, Mapping):
        return {key: without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [without_nan(value) for value in data]
    return None if isinstance(data, float) and data != data else data


def read_json(path: str | Path, advice: str = OURS) -> Read:
    """Read a JSON record. Raises ``DataError``, with ``advice``, where it cannot be read."""
    with reading(path, advice):
        if (size := Path(path).stat().st_size) > LONGEST:
            raise ValueError(f"it has {size} bytes, as no record has")
        return Read(path, advice, json.loads(Path(path).read_text(encoding="utf-8")))


def write_tensors(path: str | Path, tensors: Mapping, about: Mapping) -> None:
    """Write torch tensors or numpy arrays as safetensors, ``about`` in its header."""
    first = next(iter(tensors.values()))
    if not hasattr(first, "detach"):
        return write_arrays(path, tensors, about)
    from safetensors.torch import save_file

    tensors = {k: t.detach().cpu().contiguous() for k, t in tensors.items()}
    with whole(path) as beside:
        save_file(tensors, beside, metadata={"about": json.dumps(about)})


def write_arrays(path: str | Path, arrays: Mapping, about: Mapping) -> None:
    """Write numpy arrays as safetensors (no torch needed), ``about`` in its header."""
    import numpy as np
    from safetensors.numpy import save_file

    arrays = {k: np.ascontiguousarray(a) for k, a in arrays.items()}
    with whole(path) as beside:
        save_file(arrays, beside, metadata={"about": json.dumps(about)})


def read_arrays(path: str | Path, advice: str = OURS) -> Read:
    """Read a safetensors file as numpy arrays (no torch needed). Raises ``DataError``."""
    from safetensors.numpy import load_file

    with reading(path, advice):
        return Read(path, advice, load_file(path))


def read_tensors(path: str | Path, advice: str = OURS) -> Read:
    """Read a safetensors file as torch tensors on the CPU. Raises ``DataError``."""
    from safetensors.torch import load_file

    with reading(path, advice):
        return Read(path, advice, load_file(path))


@contextmanager
def opened(path: str | Path, framework: str = "np", advice: str = OURS) -> Iterator[object]:
    """A safetensors file of which parts are read (``safe_open``). Raises ``DataError``."""
    from safetensors import safe_open

    with reading(path, advice), safe_open(path, framework=framework) as file:
        yield file


def read_about(path: str | Path, advice: str = OURS) -> Read:
    """Read what ``write_tensors`` put in the header. Raises ``DataError``."""
    with opened(path, advice=advice) as file:
        metadata = file.metadata() or {}
        if "about" not in metadata:
            raise ValueError("its header has no record")
        return Read(path, advice, json.loads(metadata["about"]))


def read_pickle(path: str | Path, advice: str = OURS) -> Read:
    """Read a file of ``torch.save`` on the CPU: tensors, numbers, words, lists and dictionaries.

    Nothing else is unpickled. Raises ``DataError``.
    """
    import torch

    with reading(path, advice):
        try:
            held = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, MemoryError):
            raise
        except Exception:  # of the unpickler, of many kinds, and some say a bare number
            reason = "none of PyTorch's, cut short, or it holds more than tensors"
            raise ValueError(reason) from None
        return Read(path, advice, held)
