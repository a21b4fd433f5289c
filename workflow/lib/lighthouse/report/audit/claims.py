"""What a check states: a field of a table, what stands there, and what should."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from lighthouse.tables import MEASURED

NAN = float("nan")
#: How exactly numbers must agree. Tables keep 6 significant digits, so a number that is read
#: back is up to half a unit of the 6th digit off, and so is what is reckoned from several, by
#: the largest of them: a mean by half a unit, a standard deviation by less than one. Two units
#: hold that and the rounding of the table's own number (``slack``).
DIGITS, UNITS = 6, 2
#: What stands for a column that a table does not have.
NO_COLUMN = "no such column"


class Within(NamedTuple):
    """Bounds of a number, both allowed."""

    low: float
    high: float

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


class Claim(NamedTuple):
    """``found`` stands in ``column`` of the ``row`` of ``table``, where ``expected`` should.

    table: path below ``results``; row: words that name it. expected: a number, a word or
    bounds (``Within``); empty is NaN or "". Numbers may differ by ``slack``.
    """

    table: str
    row: str
    column: str
    found: object
    expected: object
    slack: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether what was found is what was expected."""
        if _empty(self.found) or _empty(self.expected):
            return _empty(self.found) and _empty(self.expected)
        if isinstance(self.expected, Within):
            low, high = self.expected
            return _number(self.found) and low - self.slack <= self.found <= high + self.slack
        if _number(self.found) and _number(self.expected):
            return abs(self.found - self.expected) <= self.slack
        return str(self.found) == str(self.expected)

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.table, self.row) if part)
        return f"{where}: {self.column} is {_words(self.found)}, not {_words(self.expected)}"


@dataclass(frozen=True)
class Results:
    """What a study made. tables: rows by path below ``results``; pages: text by path.

    published: rows of the list of published figures. samples: each cell at the hyperparameter
    table's weights, with the file that holds its images.
    """

    tables: Mapping[str, Sequence[Mapping]]
    pages: Mapping[str, str] = field(default_factory=dict)
    published: Sequence[Mapping] = ()
    samples: Sequence[tuple[Mapping, Path]] = ()

    def rows(self, table: str) -> Sequence[Mapping]:
        """A table's rows; none of a table that the study does not have."""
        return self.tables.get(table, ())


def slack(*numbers: object) -> float:
    """By how much what is reckoned from numbers of a table may be off: see ``UNITS``."""
    sizes = [abs(number) for number in numbers if _number(number) and math.isfinite(number)]
    largest = max(sizes, default=0.0)
    return UNITS * 10.0 ** (math.floor(math.log10(largest)) - DIGITS + 1) if largest else 0.0


def same(
    table: str,
    row: Mapping,
    keys: Sequence[str],
    expected: Mapping[str, object],
    behind: Iterable[object] = (),
    off: Mapping[str, float] = MappingProxyType({}),
) -> Iterable[Claim]:
    """Claims that a row has what is expected, by column.

    keys: the columns that name the row. behind: numbers that the expected ones are reckoned from.
    off: by how much more some columns may be off.
    """
    behind = list(behind)
    for column, value in expected.items():
        found = row.get(column, NO_COLUMN)
        by = slack(value, *behind) + off.get(column, 0.0)
        yield Claim(table, named(row, keys), column, found, value, by)


def key(row: Mapping, columns: Sequence[str]) -> tuple[str, ...]:
    """What a row is found by: numbers as the files keep them, empty fields as ""."""
    return tuple(_words(row.get(column, NAN), empty="") for column in columns)


def named(row: Mapping, columns: Sequence[str]) -> str:
    """A row in words: its columns and their values, but for empty ones."""
    values = zip(columns, key(row, columns), strict=True)
    return ", ".join(f"{column} {value}" for column, value in values if value)


def grouped(rows: Iterable[Mapping], columns: Sequence[str]) -> dict[tuple, list[Mapping]]:
    """Rows by their ``key``."""
    groups: dict[tuple, list[Mapping]] = {}
    for row in rows:
        groups.setdefault(key(row, columns), []).append(row)
    return groups


def measured(rows: Iterable[Mapping]) -> list[Mapping]:
    """The rows whose computation went well; tables without a status have no others."""
    return [row for row in rows if row.get("status", MEASURED) == MEASURED]


def known(values: Iterable[object]) -> list[float]:
    """The numbers among values: neither empty fields nor words."""
    return [value for value in values if _number(value) and value == value]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _empty(value: object) -> bool:
    return value is None or value == "" or (_number(value) and value != value)


def _words(value: object, empty: str = "empty") -> str:
    if _empty(value):
        return empty
    return f"{value:.{DIGITS}g}" if _number(value) else str(value)
