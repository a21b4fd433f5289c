"""Files that appear whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; on success, rename it into place.

    Works for a file and for a folder (which then replaces an older one). After an
    exception nothing is left, and an older ``path`` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path, os.getpid())
    try:
        yield beside
        if beside.is_dir() and path.is_dir():
            shutil.rmtree(path)
        beside.replace(path)
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        else:
            beside.unlink(missing_ok=True)


def clear_parts(path: str | Path) -> None:
    """Remove what writers of the file ``path`` left beside it when they were killed.

    Only where nobody else can be writing it.
    """
    path = Path(path)
    for left in path.parent.glob(_beside(path, "*").name):
        left.unlink(missing_ok=True)


def _beside(path: Path, writer: object) -> Path:
    return path.with_name(f".{path.name}.{writer}.part{path.suffix}")


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


def read_json(path: str | Path) -> dict:
    """Read JSON."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


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


def read_arrays(path: str | Path) -> dict:
    """Read a safetensors file as numpy arrays (no torch needed)."""
    from safetensors.numpy import load_file

    return load_file(path)


def read_tensors(path: str | Path) -> dict:
    """Read a safetensors file as torch tensors on the CPU."""
    from safetensors.torch import load_file

    return load_file(path)


def read_about(path: str | Path) -> dict:
    """Read what ``write_tensors`` put in the header."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return json.loads(file.metadata()["about"])
