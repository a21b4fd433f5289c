"""Where datasets come from. A source writes images and an index; the rest reads those."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lighthouse.datasets import digits


@dataclass(frozen=True)
class Source:
    """``build(options, folder)`` writes ``folder/index.tsv`` and the images it names.

    ``smallest_class(parts)`` is how many training images every class has at least,
    known before any file is read. ``check(options)`` says what is wrong with them, one
    line a mistake.
    """

    build: Callable[[Mapping, Path], None]
    smallest_class: Callable[[Mapping], int]
    check: Callable[[Mapping], list[str]]
    licence: str


SOURCES = {
    "digits": Source(digits.build, digits.smallest_class, digits.check, digits.LICENCE),
}
