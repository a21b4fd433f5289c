"""Every file of a dataset opened once: whether it can be used, its size, what is odd about it."""

import logging
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lighthouse.datasets.decoding import WHITE, decode
from lighthouse.datasets.duplicates import SIDE
from lighthouse.datasets.kinds import other_by_name
from lighthouse.datasets.walking import PLAIN, is_plain
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.job import log, progress

#: Files that one task of the pool decodes: a million tasks of one file would fill memory.
FILES_A_TASK = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file turned out to be.

    fault: why it cannot be used; None where it can, and the rest tells of it: size, (width,
    height) in pixels; oddities, keys of ``decoding.ODDITIES``; thumbnail, ``SIDE`` · ``SIDE``
    pixels of RGB, empty where none was asked for.
    """

    fault: str | None = None
    size: tuple[int, int] = (0, 0)
    oddities: tuple[str, ...] = ()
    thumbnail: bytes = b""


def scan(
    paths: Sequence[Path], threads: int = 1, background: str = WHITE, own: bool = False
) -> list[Seen]:
    """What each file turns out to be; every image is decoded once, by ``threads`` threads.

    own: a folder of one's own images, which are set upright, and have thumbnails.
    """
    tasks = [paths[start : start + FILES_A_TASK] for start in range(0, len(paths), FILES_A_TASK)]

    def see(some: Sequence[Path]) -> list[Seen]:
        return [_see(path, background, own) for path in some]

    with ThreadPoolExecutor(threads) as pool:
        return [seen for some in _bar(pool.map(see, tasks), len(tasks)) for seen in some]


def _see(path: Path, background: str, own: bool) -> Seen:
    if not is_plain(path.name):
        return Seen(f"a name that no table holds; {PLAIN}")
    if other := other_by_name(path):
        return Seen(other)
    try:
        found = decode(path, background, upright=own)
    except DataError as error:
        return Seen(str(error).removeprefix(f"{path}: "))
    return Seen(
        size=found.image.size,
        oddities=found.oddities,
        thumbnail=_thumbnail(found.image) if own else b"",
    )


def _thumbnail(image: Image.Image) -> bytes:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)).tobytes()


def _bar(tasks: Iterable, total: int) -> Iterable:
    """A progress bar: lines of a job's log, or on the terminal where there is no job."""
    unit = f"×{FILES_A_TASK} files"
    if log.hasHandlers() and log.isEnabledFor(logging.INFO):
        return progress(tasks, "images", total, unit)
    from tqdm import tqdm

    return tqdm(
        tasks, "images", total, unit=unit, file=sys.stderr, disable=None, delay=2, leave=False
    )
