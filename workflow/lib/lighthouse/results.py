"""What a run of a study left, for commands that set it beside another's.

A run is a folder of results, or one of its tables alone, as ``docs/default`` has them. Nothing here
needs torch.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lighthouse.runtime.contents import MACHINE, read_record, tensors_digest
from lighthouse.runtime.files import read_json
from lighthouse.tables import read_rows

#: Columns that hold what the clock and the memory said, which no two runs have the same.
CLOCK = re.compile(r"(^|_)seconds(_|$)|^peak_|^device$")


@dataclass
class Results:
    """A run's tables by name, its tensor files by path below the folder, and its records."""

    folder: Path
    tables: dict[str, list[dict]]
    tensors: dict[str, Path]
    study: dict

    @property
    def machines(self) -> list[dict]:
        """``machines_of`` its records."""
        return machines_of(self._records)

    @property
    def versions(self) -> dict[str, str]:
        """``versions_of`` its records."""
        return versions_of(self._records)

    @property
    def _records(self) -> list[Mapping]:
        return [self.study, *map(read_record, self.tensors.values())]


def read_results(folder: str | Path) -> Results:
    """Read a run. Raises ``ValueError`` where the folder holds no table."""
    folder = Path(folder)
    places = [folder / "tables", folder / "figures"]
    if not places[0].is_dir():
        places = [folder]
    tables: dict[str, list[dict]] = {}
    for path in (path for place in places for path in sorted(place.glob("*.csv"))):
        # A figure's numbers may have the name of a table.
        name = f"{path.stem}_figure" if path.stem in tables else path.stem
        tables[name] = read_rows(path)
    if not tables:
        raise ValueError(f"{folder}: no folder of results, and no tables in it")
    tensors = {str(path.relative_to(folder)): path for path in folder.rglob("*.safetensors")}
    about = folder / "study.json"
    study = read_json(about) if about.is_file() else {}
    return Results(folder, tables, dict(sorted(tensors.items())), study)


def machines_of(records: Iterable[Mapping]) -> list[dict]:
    """The different machines that records name.

    Of a job that did not load torch, or had no GPU, the record says less of the same machine.
    """
    found = {str(one): one for record in records if (one := record.get(MACHINE))}
    machines = [found[text] for text in sorted(found)]
    return [one for one in machines if not any(_says_less(one, other) for other in machines)]


def versions_of(records: Iterable[Mapping]) -> dict[str, str]:
    """Versions of the libraries that records name; of a library with two, all."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in record.get("versions", {}).items():
            found.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(found[name])) for name in sorted(found)}


def is_clock(column: str) -> bool:
    """Whether a column holds what no two runs have the same."""
    return CLOCK.search(column) is not None


def digests(results: Results) -> dict[str, str]:
    """A digest of each table, without the columns of the clock, and of each file's tensors."""
    tables = {f"tables/{name}": _table_digest(rows) for name, rows in results.tables.items()}
    return tables | {path: tensors_digest(of).hex()[:16] for path, of in results.tensors.items()}


def _says_less(one: Mapping, other: Mapping) -> bool:
    """Whether a machine is another one, of which it leaves out some."""
    return one != other and all(value in (None, other[name]) for name, value in one.items())


def _table_digest(rows: list[Mapping]) -> str:
    kept = [{name: str(v) for name, v in row.items() if not is_clock(name)} for row in rows]
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:16]
