"""Which code and which libraries made a result."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import lighthouse

#: Libraries whose version can change a number.
LIBRARIES = ("torch", "diffusers", "torch-fidelity", "numpy", "scikit-image", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries installed here."""
    found = {"lighthouse": lighthouse.__version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def provenance(**options: object) -> Mapping:
    """The record written beside, or into, every result: its options and the versions."""
    return {"options": options, "versions": versions()}
