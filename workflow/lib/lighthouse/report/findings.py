"""The findings of a page, written from finished tables of claims.

    uv run python -m lighthouse.report.findings docs/evidence/claims.csv

Of one study, run on several machines or settings, a table each, side by side:

    … -m lighthouse.report.findings "as it is=docs/evidence/claims.csv" "AVX2=other/claims.csv"

They stand in docs/findings.md, or another ``--page``, between two comments. The first repeats the
tables' names, so that what stands between them can be made again; a test does so.
"""

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lighthouse.report.claim_pages import effect, number, summary
from lighthouse.report.rendering import escape_markdown
from lighthouse.report.statistics import MISSING
from lighthouse.report.tables import write_text
from lighthouse.tables import read_rows

#: What the block stands between. The first line names its tables.
BLOCK = re.compile(r"<!-- findings of:(?P<given>.*?)-->\n.*?<!-- end of findings -->", re.S)


class Source(NamedTuple):
    """A table of claims, and what it is called beside others; "" of one that is alone."""

    name: str
    path: str


def sources(words: Sequence[str]) -> list[Source]:
    """Tables from ``path`` or ``name=path`` each. Raises ``ValueError`` where two have one name."""
    split = (word.rpartition("=") for word in words)
    found = [Source(name, path) for name, _, path in split]
    if len({source.name for source in found}) < len(found):
        raise ValueError("several tables need a name each: NAME=PATH")
    return found


def findings(tables: Mapping[str, Sequence[Mapping]]) -> str:
    """The findings in Markdown. tables: rows of tables of claims, by what they are called."""
    first = next(iter(tables.values()))
    datasets = list(dict.fromkeys(row["dataset"] for row in first))
    return "\n\n".join(
        block
        for dataset in datasets
        for block in _family(
            {name: _of_dataset(rows, dataset) for name, rows in tables.items()},
            dataset if len(datasets) > 1 else "",
        )
    )


def _of_dataset(rows: Sequence[Mapping], dataset: str) -> dict[str, Mapping]:
    return {row["claim"]: row for row in rows if row["dataset"] == dataset}


def _family(tables: Mapping[str, Mapping[str, Mapping]], dataset: str) -> list[str]:
    """How the claims of a dataset ended: sentences, and a table with a column a study."""
    said = [
        f"{f'*{escape_markdown(name)}*: ' if name else ''}{summary(list(of.values()))}"
        for name, of in tables.items()
    ]
    if len(tables) > 1:
        said.append(_agreement(list(tables.values())))
    names = [escape_markdown(name) or "Effect (interval), verdict" for name in tables]
    head = [f"| Claim | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    first = next(iter(tables.values()))
    lines = [
        f"| {_claim(row)} | {' | '.join(_ended(of.get(name)) for of in tables.values())} |"
        for name, row in first.items()
    ]
    heading = [f"**{escape_markdown(dataset)}**"] if dataset else []
    return [*heading, " ".join(said), "\n".join([*head, *lines])]


def _agreement(tables: Sequence[Mapping[str, Mapping]]) -> str:
    """Of how many claims the verdict is the same in all tables."""
    verdicts = [
        {of[name]["verdict"] if name in of else MISSING for of in tables} for name in tables[0]
    ]
    alike = sum(len(found) == 1 for found in verdicts)
    return f"{alike} of {len(verdicts)} verdicts are the same in all."


def _claim(row: Mapping) -> str:
    return f"{escape_markdown(row['says'])} ({escape_markdown(row['place'])})"


def _ended(row: Mapping | None) -> str:
    """Effect and verdict of a claim; where it is open, what would have been found."""
    if row is None or row["verdict"] == MISSING:
        return MISSING
    told = f"{escape_markdown(effect(row))}: **{row['verdict']}**"
    least = row["detectable"]
    is_open = row["verdict"] == "undecided" and least == least
    return f"{told} (finds {number(least)})" if is_open else told


def block(given: Sequence[Source], root: Path) -> str:
    """The findings with the comments around them. root: what paths are relative to."""
    words = shlex.join(f"{s.name}={s.path}" if s.name else s.path for s in given)
    text = findings({source.name: read_rows(root / source.path) for source in given})
    return f"<!-- findings of: {words} -->\n{text}\n<!-- end of findings -->"


def given_in(text: str) -> list[Source] | None:
    """The tables that a text's block says it is of; None where there is no block."""
    found = BLOCK.search(text)
    return sources(shlex.split(found["given"])) if found else None


def renewed(text: str, made: str) -> str:
    """A text with its block replaced. Raises ``ValueError`` where it has none."""
    if not BLOCK.search(text):
        raise ValueError(
            "no place for the findings: put the two lines `<!-- findings of: -->` and "
            "`<!-- end of findings -->` where they belong"
        )
    return BLOCK.sub(lambda _: made, text, count=1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the findings of a page.")
    parser.add_argument("tables", nargs="+", metavar="[NAME=]PATH", help="tables of claims")
    parser.add_argument("--page", type=Path, default=Path("docs/findings.md"))
    options = parser.parse_args()
    try:
        made = block(sources(options.tables), Path())
        text = renewed(options.page.read_text(encoding="utf-8"), made)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    write_text(options.page, text)


if __name__ == "__main__":
    main()
