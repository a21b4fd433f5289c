"""A job as a script gets it by hand: as arguments, or as a JSON file with all of them."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from lighthouse.runtime.errors import DataError

#: Options, each of which may be repeated, and what a job calls them.
GROUPS = {"input": "input", "output": "output", "param": "params", "wildcard": "wildcards"}


class NotGivenError(DataError, AttributeError):
    """A script asks for what it was not given."""


def read_arguments() -> tuple[list[SimpleNamespace], int, str | None]:
    """The groups of the job in the order of ``GROUPS``, its threads and its log file.

    Where arguments make no job, says in a line what is wrong, and exits with status 2.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    for name in GROUPS:
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            type=_pair,
            metavar="NAME=VALUE",
            help="may be repeated; a value is JSON or else a word",
        )
    parser.add_argument(
        "--job", type=_job, help="a JSON file with all of this instead, as a job has it"
    )
    parser.add_argument("--threads", type=_threads, default=os.cpu_count() or 1)
    parser.add_argument(
        "--log", type=_log, help="a file to write the log to as well, behind what it holds"
    )
    options = parser.parse_args()
    if options.job:
        given = options.job
        groups = [_group(option)(**given[name]) for option, name in GROUPS.items()]
        return groups, given["threads"], given["log"]
    groups = [_group(option)(**dict(getattr(options, option))) for option in GROUPS]
    return groups, options.threads, options.log


def _group(option: str) -> type[SimpleNamespace]:
    """A kind of namespace that says of what is not there by which option it is given."""

    class Group(SimpleNamespace):
        def __getattr__(self, name: str) -> object:
            raise NotGivenError(f"--{option} {name}=… is missing")

    return Group


def _pair(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _job(text: str) -> Mapping:
    try:
        given = json.loads(Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no JSON: {error}") from None
    wanted = [*GROUPS.values(), "threads", "log"]
    if not isinstance(given, dict) or given.keys() != {*wanted}:
        raise argparse.ArgumentTypeError(f"{text} is not an object of {', '.join(wanted)}")
    return given


def _threads(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _log(text: str) -> str:
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: its folder is not there; make it first")
    return text
