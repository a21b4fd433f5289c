"""The last lines of a finished study: what to take, what that rests on, and what to do next.

Every end of a run imports this: neither torch nor what tables are made with.
"""

import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path

from lighthouse.config import paths
from lighthouse.config.grid import Cell
from lighthouse.report import prior_verdict
from lighthouse.report.recommendation_words import Advice, advice
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.terminal import openable
from lighthouse.tables import read_rows

#: Pages that a reader opens first, of those that the study has.
PAGES = ("recommendation", "leaderboard", "claims")
#: Characters of a line.
WIDTH = 100
#: The report's name.
REPORT = "report.html"


def lines(results: Path, arguments: Sequence[str], folder: str = "") -> list[str]:
    """What is told at the end of a study, in lines no longer than ``WIDTH`` but for paths.

    results: the folder of results. arguments: those of Snakemake's that say which study it is.
    folder: the study's, as ``runtime.terminal.folder_from`` gives it. Nothing of a study whose
    recommendation is not there, or cannot be read.
    """
    try:
        found = advice(read_rows(results.parent / paths.table("recommendation")))
    except (DataError, OSError):
        return []
    told = []
    for board in dict.fromkeys(one.board for one in found):
        told.append(f"What to take of {board}:")
        for one in sorted((one for one in found if one.board == board), key=lambda one: one.ipc):
            first, *rest = one.lines
            told += [*_wrapped(first, 2), *(line for more in rest for line in _wrapped(more, 4))]
            told += _images(one, results)
    if verdict := prior_verdict.lines(results):
        told += ["What the priors are worth:", *(w for line in verdict for w in _wrapped(line, 2))]
    told += [*_pages(results), *_next(arguments, folder)]
    return [openable(line, folder) for line in told]


def _wrapped(text: str, indent: int) -> list[str]:
    first, other = " " * indent, " " * (indent + 2)
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=other,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _images(one: Advice, results: Path) -> list[str]:
    """Where the images of the set that is taken are, if they are handed on."""
    if one.take is None:
        return []
    cell = Cell(one.dataset, one.take["method"], int(one.ipc))
    folder = f"{paths.distilled(cell)}/seed~{int(one.take['seed'])}"
    return [f"    Its images: {folder}"] if (results.parent / folder).is_dir() else []


def _pages(results: Path) -> list[str]:
    there = [paths.table(name, "html") for name in PAGES]
    there = [page for page in there if (results.parent / page).is_file()]
    return ["What to open first:", *(f"  {page}" for page in there)] if there else []


def _next(arguments: Sequence[str], folder: str) -> list[str]:
    """The command that puts all of it into one file, which comes to the study's folder."""
    command = shlex.join(["snakemake", *arguments, "--report", REPORT])
    report = f"{folder}/{REPORT}" if folder else REPORT
    return [f"All tables and figures in one file, {report}:", f"  uv run {command}"]


def shown(file: str | Path, base: Path) -> str:
    """A path, relative to ``base`` where it lies below it."""
    file = Path(file)
    return str(file.relative_to(base) if file.is_relative_to(base) else file)
