"""Wheels of what a bare GPU box lacks, collected where a package registry can be reached.

    uv run --with pip python -m benchmarks.wheels FOLDER [--python 3.12] [--has NAME …]

The project's dependencies with all that they require, at the versions of this environment
(the project's pins), but for what the box has: ``--has``, by default a PyTorch image of
Python 3.12. What has no wheel is built, where it holds no compiled code. On the box:

    python3 -m pip install --no-index --no-deps --target SITE FOLDER/*.whl
    export PYTHONPATH=SITE
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import ROOT

#: What of the dependencies an image of Python 3.12 for PyTorch 2.11 had.
IMAGE = (
    "accelerate attrs filelock huggingface-hub jinja2 matplotlib numpy packaging pandas pillow"
    " psutil pyyaml regex requests safetensors scikit-image scikit-learn scipy tabulate torch"
    " torchvision tqdm typing-extensions wrapt zipp"
)
#: Of the machine that wheels are for, by falling glibc: pip takes each as it stands.
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (39, 35, 34, 31, 28, 27, 26, 24, 17, 12, 5)]
PLATFORMS += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]


def needs(roots: Iterable[Requirement], present: Collection[str], python: str) -> dict[str, None]:
    """Names of what ``roots`` require in all, in order, but for ``present``.

    What only something present requires is left out with it. python: the version for
    which requirements are read.
    """
    found: dict[str, None] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    left = list(roots)
    while left:
        asked = left.pop(0)
        name, extras = canonicalize_name(asked.name), frozenset(asked.extras)
        if name in present or (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = None
        try:
            given = [Requirement(line) for line in requires(name) or []]
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed here, so its version is not known") from None
        left += [each for each in given if _applies(each, extras, python)]
    return found


def _applies(asked: Requirement, extras: Iterable[str], python: str) -> bool:
    if asked.marker is None:
        return True
    here = {"python_version": python, "python_full_version": f"{python}.0"}
    return any(asked.marker.evaluate({**here, "extra": extra}) for extra in ("", *extras))


def project() -> list[Requirement]:
    """The project's own dependencies, but for its executors: a box runs its jobs itself."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = [Requirement(line) for line in tomllib.loads(text)["project"]["dependencies"]]
    return [each for each in asked if not each.name.startswith("snakemake-executor-plugin")]


def collect(name: str, folder: Path, python: str) -> Path:
    """Put one wheel into ``folder``, at the version that is installed here."""
    pin = f"{name}=={version(name)}"
    with tempfile.TemporaryDirectory() as place:
        target = ["--python-version", python, "--implementation", "cp", "--only-binary=:all:"]
        for platform in PLATFORMS:
            target += ["--platform", platform]
        fetched = _pip("download", *target, "--no-deps", "--dest", place, pin)
        if not fetched:
            _pip("wheel", "--no-deps", "--wheel-dir", place, pin)
        made = next(Path(place).glob("*.whl"), None)
        if made is None or not (fetched or made.name.endswith("-none-any.whl")):
            raise SystemExit(f"{pin}: no wheel for Python {python}, and none can be built here")
        return Path(shutil.copy(made, folder))


def _pip(*words: str) -> bool:
    """Whether pip could do it."""
    command = [sys.executable, "-m", "pip", *words]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (pins of ours)
    return done.returncode == 0


def main() -> None:
    """Collect all wheels, and say how large they are together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the wheels are put")
    parser.add_argument("--python", default="3.12", help="the box's (default 3.12)")
    parser.add_argument("--has", nargs="+", default=IMAGE.split(), help="what the box has")
    given = parser.parse_args()
    if not _pip("--version"):
        parser.error("there is no pip here: uv run --with pip python -m benchmarks.wheels …")
    given.folder.mkdir(parents=True, exist_ok=True)
    present = {canonicalize_name(name) for name in given.has}
    total = 0
    for name in needs(project(), present, given.python):
        wheel = collect(name, given.folder, given.python)
        total += wheel.stat().st_size
        print(f"{wheel.stat().st_size / 1e6:6.1f} MB  {wheel.name}", flush=True)
    print(f"{total / 1e6:6.1f} MB in all")


if __name__ == "__main__":
    main()
