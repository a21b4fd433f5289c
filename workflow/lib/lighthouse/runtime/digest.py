"""A digest of the code behind a rule, so that editing the package reruns what used it.

Snakemake follows a script, not the modules that it imports. A rule passes
``code=code_digest(script)`` as a parameter; a ``touch`` then changes nothing.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "lighthouse"


def code_digest(script: str | Path, library: str | Path) -> str:
    """Return a digest of ``script`` and of every module of the package that it reaches.

    ``library`` is the folder that holds the package. Imports inside functions count.
    """
    library = Path(library)
    pending, seen = [Path(script)], set()
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            pending += _imported(path, library)
    sha = hashlib.sha256()
    for path in sorted(seen):
        sha.update(path.name.encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


def _imported(path: Path, library: Path) -> list[Path]:
    found = []
    for parts in _package_names(path.read_bytes()):
        for depth in range(1, len(parts) + 1):
            stem = library.joinpath(*parts[:depth])
            candidates = (stem / "__init__.py", stem.with_suffix(".py"))
            found += [candidate for candidate in candidates if candidate.is_file()]
    return found


@cache
def _package_names(source: bytes) -> list[tuple[str, ...]]:
    """What of the package a module's source imports. Every rule asks for the same modules."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    split = (tuple(name.split(".")) for name in names)
    return [parts for parts in split if parts[0] == PACKAGE]
