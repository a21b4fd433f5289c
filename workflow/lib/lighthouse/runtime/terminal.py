"""What a run says at the terminal: lines that a person can read, and paths that open from there."""

import logging
import os
import re
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path

#: Of the environment: the study's folder as the terminal knows it, for what jobs say there.
VARIABLE = "LIGHTHOUSE_FOLDER"
#: As much of a list as is shown of it, in characters.
LONGEST = 240
#: What Snakemake lists in one line, however much it is.
LISTS = re.compile(r"\s*(input|output|log|reason|Reason|Rules with \w+ metadata): | {8}\w+, \w")
#: A path below the folder of results, from the study's folder on.
RESULT = re.compile(r"(?<![\w/~.-])results/(?=\w)")


def folder_from(typed_in: str | Path, study: str | Path) -> str:
    """The study's folder as it is best named where the command was typed; "" if it is the same."""
    below = os.path.relpath(study, typed_in)
    if below == ".":
        return ""
    return str(Path(study).absolute()) if below.startswith("..") else below


def openable(text: str, folder: str) -> str:
    """A text in which paths below ``results/`` lead there from where the command was typed.

    folder: as ``folder_from`` gives it.
    """
    return RESULT.sub(lambda _: f"{folder}/results/", text) if folder else text


def shortened(line: str) -> str:
    """A line of Snakemake's with as much of its list as can be read, and how much is left out."""
    if len(line) <= LONGEST or not LISTS.match(line):
        return line
    end = line.rfind(", ", 0, LONGEST)
    if end < 0:
        return f"{line[:LONGEST]} …"
    return f"{line[:end]}, … and {line.count(', ', end)} more"


class Readable(logging.Formatter):
    """Another formatter's text with its lists shortened and, in errors, its paths openable."""

    def __init__(
        self, inner: logging.Formatter, folder: str, behind: Mapping[str, Callable[[], str]]
    ):
        super().__init__()
        self.inner, self.folder, self.behind = inner, folder, behind

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record; as empty as the other formatter has it."""
        text = self.inner.format(record)
        if not text:
            return text
        if record.levelno >= logging.ERROR:  # elsewhere paths are names of targets
            text = openable(text, self.folder)
        more = self.behind[text]() if text in self.behind else ""
        return "\n".join([*map(shortened, text.split("\n")), *([more] if more else [])])


class JobLines(logging.Formatter):
    """The lines of a job at the terminal of its run."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, with its paths openable."""
        return openable(super().format(record), os.environ.get(VARIABLE, ""))


def speak_readably(
    logger: logging.Logger,
    environment: MutableMapping[str, str],
    folder: str,
    behind: Mapping[str, Callable[[], str]],
) -> None:
    """Have a run and its jobs say at the terminal what a person can read there.

    logger: Snakemake's; its file of all that it said stays whole. environment: that jobs inherit.
    folder: as ``folder_from`` gives it. behind: what is to be told behind a message of Snakemake's,
    "" for nothing.
    """
    environment[VARIABLE] = folder
    for handler in logger.handlers:
        at_terminal = isinstance(handler, logging.StreamHandler)
        if at_terminal and not isinstance(handler, logging.FileHandler) and handler.formatter:
            handler.setFormatter(Readable(handler.formatter, folder, behind))
