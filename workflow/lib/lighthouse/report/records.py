"""Results as tables and figures read them; None for one that is not there, or out of date."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lighthouse.runtime.cells import recorded
from lighthouse.runtime.files import read_about, read_arrays
from lighthouse.tables import read_rows


@dataclass(frozen=True)
class Stored:
    """A safetensors file, of which only what is asked for is read."""

    path: str

    @cached_property
    def about(self) -> dict:
        """What its header says."""
        return read_about(self.path)

    def arrays(self) -> dict:
        """Its arrays, by name."""
        return read_arrays(self.path)


#: A record as a dict, a table as rows, a safetensors file.
Loaded = dict | list[dict] | Stored
READERS = {".json": recorded, ".csv": read_rows, ".tsv": read_rows, ".safetensors": Stored}


def load(path: str, stamp: str | None = None) -> Loaded | None:
    """What a file holds; None where there is none, or where it carries another stamp.

    None, too, of a record that cannot be read, which is logged and which the next run makes anew.
    stamp: the digest of what the file should have been computed with; None takes any.
    """
    if not Path(path).is_file():
        return None
    found = READERS[Path(path).suffix](path)
    return found if stamp is None or _stamp(found) == stamp else None


def _stamp(found: Loaded) -> str | None:
    """The stamp of a record or of a safetensors file. A table has none."""
    about = found.about if isinstance(found, Stored) else found
    return about.get("stamp") if isinstance(about, Mapping) else None
