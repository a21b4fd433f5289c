"""Tables as makers give them, and rows of records."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lighthouse.runtime.files import whole


class Table(NamedTuple):
    """Rows with their columns in order; the first row's keys unless given."""

    rows: Sequence[Mapping]
    columns: Sequence[str] = ()


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with whole(path) as beside:
        beside.write_text(text, encoding="utf-8")
