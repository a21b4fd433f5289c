"""What a failed run leaves: tables and figures are made all the same, and say what is missing.

A job whose inputs were not made cannot run, so one failed method would leave a study with the
tables of an older run, or with none. Here every item is made of what is there. The next run
makes them again: what it computes anew is newer than they are.
"""

from collections.abc import Sequence
from graphlib import TopologicalSorter

from lighthouse.config import paths
from lighthouse.report.item import Item
from lighthouse.report.making import make
from lighthouse.runtime.errors import DataError


def make_all(items: Sequence[Item]) -> tuple[list[str], list[str]]:
    """Make all items of what is there, each behind those that it reads.

    Returns the files that were made, and in words the items that were not, with the reason:
    one needs a file that is not there, or its maker failed.
    """
    made: list[str] = []
    left: list[str] = []
    for item in in_order(items):
        try:
            make(item.work)
            made += item.paths
        except DataError as error:
            left.append(f"{item.place}: {error}")
        except Exception as error:  # of one item, which must not stop the others
            left.append(f"{item.place}: {type(error).__name__}: {error}")
    return made, left


def in_order(items: Sequence[Item]) -> list[Item]:
    """The same items, each behind those whose files it reads."""
    maker_of = {path: i for i, item in enumerate(items) for path in item.paths}
    needs = {i: [maker_of[p] for p in item.reads if p in maker_of] for i, item in enumerate(items)}
    return [items[i] for i in TopologicalSorter(needs).static_order()]


def message(made: Sequence[str], left: Sequence[str]) -> str:
    """What ``make_all`` came to, for the terminal."""
    told = (
        f"{len(made)} files of tables and figures were made, in {paths.RESULTS}/tables and "
        f"{paths.RESULTS}/figures; rows that are not say 'missing'."
    )
    lost = ["Not made anew, and out of date where they exist:", *left] if left else []
    return "\n  ".join([told, *lost])
