"""Lists of results that ``lighthouse.verify`` cannot go by."""

from collections.abc import Mapping
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from lighthouse.verify import main


def told(entry: Mapping, folder: Path) -> str:
    """What ``verify`` says of a folder with a manifest of this ``text``, or with none.

    at: the folder that it is given, below the one that is made.
    """
    if "text" in entry:
        (folder / "manifest.json").write_text(entry["text"], encoding="utf-8")
    said = StringIO()
    with redirect_stderr(said):
        assert main([str(folder / entry.get("at", "."))]) == 2
    return said.getvalue()
