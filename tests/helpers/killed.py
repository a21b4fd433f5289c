"""Writers that were killed: a process of its own each, ended by SIGKILL in mid-write."""

import os
import subprocess
import sys
from pathlib import Path

from repository import LIBRARY

WRITER = """
import os, pathlib, signal, sys
from lighthouse.runtime.files import whole
with whole(sys.argv[1]) as beside:
    if sys.argv[2] == "folder":
        beside.mkdir()
        beside /= "inside"
    beside.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(path: Path, what: str = "file") -> Path:
    """What a writer of ``path``, a ``file`` or a ``folder``, left beside it when it was killed."""
    before = {*path.parent.iterdir()}
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    subprocess.run([sys.executable, "-c", WRITER, path, what], env=environment)
    (left,) = {*path.parent.iterdir()} - before
    return left
