"""What files hold, as digests that leave out on which machine it was computed.

A study that goes on elsewhere keeps what it has, and what two machines computed to the same bytes
is the same.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from lighthouse.runtime.faults import PART, reading

#: The field of a record, at any depth, that names the hardware (``runtime.machine``).
MACHINE = "machine"
BLOCK = 2**20
#: Bytes that a safetensors file's header has at most, as the library has it.
LONGEST_HEADER = 100_000_000


def file_digest(path: Path) -> bytes:
    """A digest of what a file holds, but for the machine in a record or in a tensor file's."""
    return DIGESTS.get(path.suffix, _bytes_digest)(path)


def tensors_digest(path: str | Path) -> bytes:
    """A digest of the tensors alone of a safetensors file: names, kinds, shapes and numbers."""
    header, _, offset = _header(Path(path))
    return _with_numbers(header, Path(path), offset)


def read_record(path: str | Path) -> dict:
    """What ``runtime.files.write_tensors`` put in a tensor file's header; empty where it has none.

    Needs no library, unlike ``read_about``.
    """
    return _header(Path(path))[1]


def without_machine(record: object) -> object:
    """A record, of dictionaries and lists, without the field that names the hardware."""
    if isinstance(record, Mapping):
        return {k: without_machine(v) for k, v in record.items() if k != MACHINE}
    if isinstance(record, list):
        return [without_machine(value) for value in record]
    return record


def _header(path: Path) -> tuple[dict, dict, int]:
    """Of a safetensors file what it says of its tensors, its record, and where numbers begin."""
    with reading(path, PART):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LONGEST_HEADER:
                raise ValueError(f"its header would have {length} bytes")
            header = json.loads(file.read(length))
        about = header.pop("__metadata__", {}).get("about", "{}")
        return header, json.loads(about), 8 + length


def _tensor_file_digest(path: Path) -> bytes:
    header, record, offset = _header(path)
    return _with_numbers([header, without_machine(record)], path, offset)


def _record_digest(path: Path) -> bytes:
    with reading(path, PART):
        record = json.loads(path.read_bytes())
    return hashlib.sha256(_text(without_machine(record))).digest()


def sum_of(path: Path, kind: str = "sha256") -> str:
    """The sha256 of a file's bytes in hex, or another sum that ``hashlib`` knows."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _bytes_digest(path: Path) -> bytes:
    return bytes.fromhex(sum_of(path))


def _with_numbers(about: object, path: Path, offset: int) -> bytes:
    sha = hashlib.sha256(_text(about))
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(BLOCK):
            sha.update(block)
    return sha.digest()


def _text(data: object) -> bytes:
    return json.dumps(data, sort_keys=True).encode()


#: By a file's suffix; of others all bytes count.
DIGESTS: dict[str, Callable[[Path], bytes]] = {
    ".json": _record_digest,
    ".safetensors": _tensor_file_digest,
}
