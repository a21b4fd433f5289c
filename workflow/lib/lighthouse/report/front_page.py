"""The first page of the report: what to take, the best rows, images, what the priors are worth."""

import base64
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lighthouse.config import paths
from lighthouse.report import prior_verdict
from lighthouse.report.recommendation_words import Advice, advice, score
from lighthouse.runtime.errors import DataError
from lighthouse.tables import MEASURED, read_rows

#: Rows of an IPC, but for the references that are among the others.
ROWS = 5
#: Bytes of a grid of images up to which the page has it.
LARGEST = 4_000_000
#: Characters of a line of its code.
LINE = 4000


class Best(NamedTuple):
    """The best rows of one IPC, the taken one among them."""

    ipc: int
    sentences: Sequence[str]
    rows: Sequence[Mapping]


class Board(NamedTuple):
    """One dataset, student and protocol. images: a grid as a data URI, "" without."""

    title: str
    choices: list[Best]
    images: str


def is_asked_for(arguments: Sequence[str] = sys.argv) -> bool:
    """Whether the command line asks Snakemake for its report."""
    return any(word.split("=")[0] == "--report" for word in arguments)


def write_first_page(results: Path, rest: Path, place: Path) -> Path:
    """Write the first page, as reStructuredText, to ``place``; returns the file to be shown.

    results: the folder of results. rest: what stands below on the page, and alone, as it is, where
    there is no recommendation yet.
    """
    try:
        found = advice(read_rows(results / "tables" / "recommendation.csv"))
    except (DataError, OSError):
        return rest
    text = first_page(found, results, prior_verdict.lines(results))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"{text}\n{rest.read_text('utf-8')}", encoding="utf-8")
    return place


def first_page(found: Sequence[Advice], results: Path, verdict: Sequence[str]) -> str:
    """The page as reStructuredText that holds HTML, and nothing that Snakemake would fill in."""
    from lighthouse.report.rendering import render  # at each start of Snakemake it is not needed

    page = render("front_page.html.j2", boards=_boards(found, results), verdict=verdict)
    safe = re.sub(r"\{(?=[{%#])", "&#123;", page)
    lines = [f"   {line}" for line in safe.splitlines() if line.strip()]
    return "\n".join([".. raw:: html", "", *lines, ""])


def _boards(found: Sequence[Advice], results: Path) -> list[Board]:
    boards: dict[str, list[Advice]] = {}
    for one in sorted(found, key=lambda one: one.ipc):
        boards.setdefault(one.board, []).append(one)
    shown: set[str] = set()
    made = []
    for title, own in boards.items():
        dataset = own[0].dataset
        images = "" if dataset in shown else _grid(results, dataset)
        shown.add(dataset)
        choices = [Best(one.ipc, one.lines, best_rows(one.rows)) for one in own]
        made.append(Board(title, choices, images))
    return made


def best_rows(rows: Sequence[Mapping]) -> list[Mapping]:
    """The first rows by the part that decides; the taken one is first."""
    measured = [row for row in rows if row["status"] == MEASURED]
    ranked = sorted(measured, key=score, reverse=True)
    return sorted(ranked, key=lambda row: row["taken"] != "yes")[:ROWS]


def _grid(results: Path, dataset: str) -> str:
    file = results.parent / paths.figure(f"samples/{dataset}", "png")
    if not file.is_file() or file.stat().st_size > LARGEST:
        return ""
    code = base64.b64encode(file.read_bytes()).decode()
    # A browser leaves the ends of lines out, and docutils takes no line of more than 10,000.
    return "\n".join(["data:image/png;base64,", *textwrap.wrap(code, LINE)])
