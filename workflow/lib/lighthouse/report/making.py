"""Making one item: its inputs are read, its maker is called, and what that returns is written."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from lighthouse.report.records import load
from lighthouse.report.tables import Table, write_text
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import write_json
from lighthouse.tables import write_rows


def make(work: Mapping) -> str:
    """Make an item (``Item.work``), and say in words what was made.

    Raises ``DataError`` where a file that it needs is not there, or of several none.
    """
    inputs = {name: _load(given, work["stamps"]) for name, given in work["inputs"].items()}
    made = maker(work)(**inputs, **work["params"])
    for output, paths in work["outputs"].items():
        write(made[output], paths)
    told = [_told(made[output], paths) for output, paths in work["outputs"].items()]
    return f"{work['place']}: {', '.join(told)}"


def maker(work: Mapping) -> Callable[..., Mapping]:
    """The function that an item names."""
    module, _, name = work["maker"].partition(":")
    return getattr(import_module(module), name)


def _load(given: str | Sequence[str], stamps: Mapping[str, str]) -> object:
    if isinstance(given, str):
        found = load(given, stamps.get(given))
        if found is None:
            raise DataError(f"{given} is not there")
        return found
    several = [load(path, stamps.get(path)) for path in given]
    if several and all(found is None for found in several):
        raise DataError(f"none of {len(given)} files is there, {given[0]} the first of them")
    return several


def write(content: object, paths: Sequence[str]) -> None:
    """Write a table, a text, a record or a figure to each of the paths."""
    if isinstance(content, Table):
        for path in paths:
            if Path(path).suffix == ".html":
                from lighthouse.report.rendering import table_page

                write_text(path, table_page(content))
            else:
                write_rows(path, content.rows, content.columns)
    elif isinstance(content, str):
        for path in paths:
            write_text(path, content)
    elif isinstance(content, Mapping):
        for path in paths:
            write_json(path, content)
    else:
        from lighthouse.report.figures import save_figure

        save_figure(content, paths)


def _told(content: object, paths: Sequence[str]) -> str:
    names = " and ".join(Path(path).name for path in paths)
    return f"{names} ({len(content.rows)} rows)" if isinstance(content, Table) else names
