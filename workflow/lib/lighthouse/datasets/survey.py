"""What a folder of images holds, without a study: ``look``."""

from pathlib import Path

from lighthouse.datasets.findings import Survey
from lighthouse.datasets.folders import Tree
from lighthouse.datasets.layout import WHERE
from lighthouse.runtime.errors import DataError

__all__ = ["Survey", "look"]


def look(root: Path, threads: int = 1) -> Survey:
    """What a folder of one's own images holds; opens every file once, by ``threads`` threads.

    Raises nothing about the data: what keeps the images from being used is in ``faults``.
    """
    tree = Tree(Path(root), None, WHERE, own=True)
    try:
        layout = tree.layout
    except (DataError, OSError) as error:
        return Survey("classes", {}, (), {}, (0, 0, 0), [], [str(error)])
    faults = tree.missing()
    try:
        return tree.survey(threads, faults)
    except (DataError, OSError) as error:  # of names that nothing can hold, of a closed folder
        faults = faults or [str(error)]
        return Survey(layout.kind, layout.folders, (), {}, (0, 0, 0), [*layout.lines], faults)
