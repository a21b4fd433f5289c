"""Two runs of a study: what differs between their numbers, their verdicts and their tensors.

    uv run python -m lighthouse.compare A B

A and B are folders of results, or of tables alone, as ``docs/default``. The exit status is 0 where
all verdicts agree, 1 where one flips, 2 where a folder is none of these.
"""

import argparse
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lighthouse.digests import machine_in_words
from lighthouse.results import Results, is_clock, read_results
from lighthouse.runtime.contents import tensors_digest, without_machine

#: Columns that say which row it is; a table has some of them.
KEYS = (
    *("dataset", "method", "ipc", "variant", "student", "protocol", "replicate", "seed"),
    *("student_seed", "name", "against", "measure", "comparison", "source", "strategy"),
    *("chosen_by", "class", "kind", "index", "factor", "value", "eta_dpp", "label"),
)
#: What a study concludes: the tables, and the column of each that says it.
VERDICTS = {
    "significance": "verdict",
    "ablation": "verdict",
    "claims": "verdict",
    "strategies": "holds",
}
#: Options that say where a study is computed and how fast, and of two runs may differ.
NO_SCIENCE = ("study", "downloads", "compute.cells_per_job", "compute.checkpoint_seconds")


@dataclass
class Column:
    """How a column's numbers, or words, differ between two runs."""

    differences: list[float] = field(default_factory=list)
    other: int = 0  # words, or a number beside none
    rows: int = 0

    def add(self, one: object, two: object) -> None:
        """Count a row's two values."""
        self.rows += 1
        if _same(one, two):
            return
        if isinstance(one, str) or isinstance(two, str) or one != one or two != two:
            self.other += 1
        else:
            self.differences.append(abs(two - one))

    def __str__(self) -> str:
        changed = len(self.differences) + self.other
        words = f"{changed} of {self.rows} differ"
        if self.differences:
            mean = sum(self.differences) / len(self.differences)
            words += f", by {mean:.3g} on average, {max(self.differences):.3g} at most"
        return words


@dataclass
class Flip:
    """A verdict that two runs have otherwise."""

    table: str
    row: str
    one: object
    two: object

    def __str__(self) -> str:
        return f"{self.table}: {self.row}: {self.one} | {self.two}"


def same_study(a: Results, b: Results) -> list[str]:
    """The options that differ between two runs; a line where it cannot be told."""
    if not (a.study and b.study):
        return ["not told: study.json is not in both"]
    one, two = (_flat(without_machine(run.study)) for run in (a, b))
    return [
        f"{name}: {one.get(name, 'none')} | {two.get(name, 'none')}"
        for name in sorted(one.keys() | two.keys())
        if name.removeprefix("config.") not in NO_SCIENCE and one.get(name) != two.get(name)
    ]


def pairs(one: Sequence[Mapping], two: Sequence[Mapping]) -> Iterator[tuple[str, Mapping, Mapping]]:
    """Rows of two tables that are of the same thing, with what they are of.

    By the columns of ``KEYS`` that both have; where these name several, in their order.
    """
    shared = [name for name in KEYS if one and two and name in one[0] and name in two[0]]
    queues = defaultdict(list)
    for row in two:
        queues[_key(row, shared)].append(row)
    for row in one:
        if queue := queues[_key(row, shared)]:
            yield " ".join(str(row[n]) for n in shared if row[n] == row[n]), row, queue.pop(0)


def columns(one: Sequence[Mapping], two: Sequence[Mapping]) -> dict[str, Column]:
    """How the columns differ that two tables share, in the rows that they share."""
    found: dict[str, Column] = {}
    for _, a, b in pairs(one, two):
        for name in a.keys() & b.keys():
            found.setdefault(name, Column()).add(a[name], b[name])
    return {name: found[name] for name in (one[0] if one else ()) if name in found}


def flips(a: Results, b: Results) -> list[Flip]:
    """The verdicts that two runs have otherwise, of the rows that both have."""
    return [
        Flip(table, row, one[column], two[column])
        for table, column in VERDICTS.items()
        if table in a.tables and table in b.tables
        for row, one, two in pairs(a.tables[table], b.tables[table])
        if not _same(one.get(column), two.get(column))
    ]


def report(a: Results, b: Results) -> Iterator[str]:
    """The comparison, line by line, but for the verdicts."""
    for letter, run in (("A", a), ("B", b)):
        yield f"{letter}  {run.folder}"
        yield from (f"   {machine_in_words(one)}" for one in run.machines)
        versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
        yield f"   {versions or 'its tables do not tell machine and versions'}"
    different = same_study(a, b)
    yield from _section("Study", different or ["the same options"])
    yield from _section("Tables", _tables(a, b))
    yield from _section("Tensors", _tensors(a, b))


def _tables(a: Results, b: Results) -> Iterator[str]:
    for name in sorted(a.tables.keys() | b.tables.keys()):
        if name not in a.tables or name not in b.tables:
            yield f"{name}: in {'A' if name in a.tables else 'B'} alone"
            continue
        one, two = a.tables[name], b.tables[name]
        shared = sum(1 for _ in pairs(one, two))
        changed = {n: c for n, c in columns(one, two).items() if c.differences or c.other}
        numbers = {n: c for n, c in changed.items() if not is_clock(n)}
        equal = "equal but for the clock" if changed else "equal"
        yield f"{name}: {'differs' if numbers else equal}, {shared} rows"
        if shared < max(len(one), len(two)):
            yield f"   rows in A alone: {len(one) - shared}, in B alone: {len(two) - shared}"
        yield from (f"   {column}: {how}" for column, how in numbers.items())
        yield from (f"   clock, {n}: {how}" for n, how in changed.items() if is_clock(n))


def _tensors(a: Results, b: Results) -> Iterator[str]:
    shared = sorted(a.tensors.keys() & b.tensors.keys())
    equal = {n for n in shared if tensors_digest(a.tensors[n]) == tensors_digest(b.tensors[n])}
    for stage, count in _by_stage(shared).items():
        yield f"{stage}: {_by_stage(equal)[stage]} of {count} files equal to the byte"
    if not shared:
        yield "none in both"


def _by_stage(names: Iterable[str]) -> Counter:
    return Counter(name.partition("/")[0] for name in names)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"\n{title}"
    yield from (f"   {line}" for line in lines)


def _key(row: Mapping, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in names)


def _same(one: object, two: object) -> bool:
    return one == two or (one != one and two != two)


def _flat(data: Mapping, above: str = "") -> dict[str, object]:
    """Nested options by dotted names; an entry of a list of rows goes by its first field."""
    found: dict[str, object] = {}
    for name, value in data.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = {str(next(iter(row.values()))): row for row in value}
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser("lighthouse.compare", description=__doc__.split("\n")[0])
    parser.add_argument("a", help="a folder of results, or of tables")
    parser.add_argument("b", help="another run's")
    options = parser.parse_args(arguments)
    try:
        a, b = read_results(options.a), read_results(options.b)
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print(*report(a, b), sep="\n")
    found = flips(a, b)
    count = sum(len(a.tables[t]) for t in VERDICTS if t in a.tables and t in b.tables)
    lines = [*map(str, found)] or ["all agree" if count else "none in both"]
    print(*_section(f"Verdicts: {len(found)} of {count} flip (A | B)", lines), sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `| head` ends it without a word
    sys.exit(main())
