"""Whether two runs of a study made the same results, but for what the clock and the memory said.

A record and a table may differ in fields and columns of these (``results.is_clock``); the table of
claims also in those about such a measure, and in what is corrected together with them; a page or a
figure where the table of its name beside it does; and a page in how many minutes more something
would take. All other files are the same byte for byte.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from lighthouse.manifest import entries, find_results, same
from lighthouse.results import is_clock
from lighthouse.runtime.files import read_json
from lighthouse.tables import read_rows

#: Suffixes of files that show a table's numbers, which has their name and lies beside them.
SHOWN = frozenset({".html", ".md", ".tex", ".pdf", ".png"})
#: Columns of claims that depend on every claim of the family that Holm corrects together.
FAMILY = frozenset({"level", "ci_low", "ci_high", "p_holm", "detectable", "verdict"})
#: What the verdict on a prior says of the time that its advice takes.
ESTIMATE = re.compile(r"about [\d,]+ minutes? more")


def unlike(one: Path, two: Path) -> tuple[list[str], list[str]]:
    """The results of two folders that are not the same: by the clock alone, and otherwise.

    What is in one of the two alone is among the latter.
    """
    a, b = find_results(one), find_results(two)
    shared = sorted(a.keys() & b.keys())
    first, second = (entries({name: files[name] for name in shared}) for files in (a, b))
    other = [name for name in shared if not same(first[name], second[name])]
    timed = {name for name in other if _is_alike(a[name], b[name])}
    timed |= {name for name in other if _data_of(name) in timed}
    return sorted(timed), sorted({*other, *(a.keys() ^ b.keys())} - timed)


def _is_alike(one: Path, two: Path) -> bool:
    """Whether two records or tables are the same without the clock."""
    read = READERS.get(one.suffix)
    return read is not None and read(one) == read(two)


def _data_of(name: str) -> str | None:
    """The table that a page or figure shows."""
    path = Path(name)
    return str(path.with_suffix(".csv")) if path.suffix in SHOWN else None


def _record(path: Path) -> object:
    return _without_clock(read_json(path))


def _without_clock(record: object) -> object:
    if isinstance(record, Mapping):
        return {key: _without_clock(value) for key, value in record.items() if not is_clock(key)}
    if isinstance(record, list):
        return [_without_clock(value) for value in record]
    return record


def _table(path: Path) -> list[dict]:
    rows = read_rows(path)
    about_it = [row for row in rows if is_clock(str(row.get("measure", "")))]
    left_out = FAMILY if about_it else frozenset()
    return [
        {key: str(value) for key, value in row.items() if not (is_clock(key) or key in left_out)}
        for row in rows
        if row not in about_it
    ]


def _page(path: Path) -> str:
    return ESTIMATE.sub("", path.read_text("utf-8"))


#: What is compared of files that differ, by suffix.
READERS = {".json": _record, ".csv": _table, ".md": _page, ".html": _page}
