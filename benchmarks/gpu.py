"""A GPU's quarter of an hour: four parts, each with a limit of its own, results as they come.

    python -m benchmarks.gpu --out FOLDER --data imagenette64.tar.gz
    uv run python -m benchmarks.gpu --out FOLDER --toy     (on two cores, in some minutes)

| part | command | at most |
|---|---|---|
| 1 | ``benchmarks.checks``: the package is right on this device | 2 min |
| 2 | ``benchmarks.sampling``: DiT-XL/2 at 256 px | 3 min |
| 3 | ``benchmarks.students``: students, alone and several at once | 2 min |
| 4 | ``benchmarks.study``: ImageNette at 64 px, as far as it goes | 7 min |

A part that fails, or is stopped at its limit, keeps no other from starting. FOLDER ends
with at most eight files: ``summary.json`` (machine, versions, commit, what each part came
to), the parts' CSV, ``study.tar.gz``, ``prior.safetensors``, and ``logs.tar.gz`` with what
each part printed. Exits with 1 where a part failed or was stopped.
"""

import argparse
import math
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import ROOT
from benchmarks.limits import run_for, stop_when_told
from lighthouse.runtime.files import whole, write_json
from lighthouse.runtime.provenance import LIBRARIES


@dataclass(frozen=True)
class Part:
    """A part of the run.

    limit: seconds. arguments, toy: of its command, at full and at toy size.
    """

    name: str
    limit: float
    arguments: str = ""
    toy: str = ""


#: The study ends by itself so many seconds before its part's limit.
STUDY_MARGIN = 15.0

PARTS = {
    1: Part("checks", 120, toy="--toy"),
    2: Part(
        "sampling",
        180,
        "--model dit-xl-2 --memory-model dit-xl-2 --precision bf16 fp32 --micro-batch 64"
        " --timed-steps 5 --launch graphs compiled --ipc 10 100 1000 --memory-ipc 10 1000",
        "--model dit-tiny --memory-model dit-tiny --precision bf16 fp32 --micro-batch 2"
        " --launch graphs --repeats 1 --ipc 2 10 --memory-ipc 2 --threads 1",
    ),
    3: Part(
        "students",
        120,
        "--seconds 1",
        toy="--network convnet3 --size 32 --images 40 --processes 2 --at-once 3 --workers 1"
        " --seconds 0.2 --threads 1",
    ),
    4: Part("study", 420, toy="--toy --jobs 2 --closing 120"),
}


def said(*command: str) -> str | None:
    """The first line that a command prints; None where it cannot be run or fails."""
    try:
        done = subprocess.run(  # noqa: S603 (this module's own commands)
            command, cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip().partition("\n")[0] or None


def installed(name: str) -> str | None:
    """The version of a distribution; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def machine(commit: str | None) -> dict:
    """What ran: card, driver, versions, commit. Starts no CUDA: its memory is for the parts."""
    import torch

    asked = "--query-gpu=name,driver_version,memory.total"
    card = said("nvidia-smi", asked, "--format=csv,noheader")
    name, driver, memory = card.split(", ") if card else (None, None, None)
    return {
        "card": name,
        "driver": driver,
        "memory": memory,
        "cuda": torch.version.cuda,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {each: installed(each) for each in (*LIBRARIES.values(), "snakemake")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit or said("git", "describe", "--always", "--dirty", "--abbrev=40"),
    }


def command_of(number: int, given: argparse.Namespace, limit: float) -> list[str]:
    """The command line of a part."""
    part = PARTS[number]
    words = [sys.executable, "-m", f"benchmarks.{part.name}", "--out", str(given.out)]
    words += (part.toy if given.toy else part.arguments).split()
    if part.name == "study":
        words += ["--limit", str(max(limit - STUDY_MARGIN, 0))]
        for option in ("data", "weights"):
            if getattr(given, option):
                words += [f"--{option}", str(getattr(given, option).absolute())]
        words += ["--over", *(str(path.absolute()) for path in given.over)] if given.over else []
    return words


def packer(logs: Path, out: Path) -> Callable[[], None]:
    """A function that writes all logs as they are into one file."""

    def pack() -> None:
        with whole(out / "logs.tar.gz") as beside, tarfile.open(beside, "w:gz") as tar:
            for path in sorted(logs.glob("*.log")):
                tar.add(path, path.name)

    return pack


def run(given: argparse.Namespace, logs: Path) -> list[dict]:
    """Run the parts; return what each came to."""
    summary = {**machine(given.commit), "toy": given.toy, "parts": []}
    write_json(given.out / "summary.json", summary)
    print({key: value for key, value in summary.items() if key != "parts"}, flush=True)
    pack, limits = packer(logs, given.out), given.limits or [PARTS[n].limit for n in given.parts]
    for number, limit in zip(given.parts, limits, strict=True):
        name, started = PARTS[number].name, time.monotonic()
        log = logs / f"{number}-{name}.log"
        outcome = "stopped from outside"
        try:
            outcome = run_for(limit, command_of(number, given, limit), log, meanwhile=pack)
        finally:
            took = round(time.monotonic() - started, 1)
            about = {"part": number, "name": name, "limit_s": limit}
            summary["parts"].append({**about, "outcome": outcome, "seconds": took})
            write_json(given.out / "summary.json", summary)
            pack()
        print(f"part {number}, {name}: {outcome} after {took} s of {limit:g}", flush=True)
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]:
            print(f"    {line}", flush=True)
    return summary["parts"]


def seconds(text: str) -> float:
    """A limit, above 0 and finite."""
    limit = float(text)
    if not 0 < limit < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return limit


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder for the results")
    parser.add_argument("--parts", type=int, nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--limits", type=seconds, nargs="+", help="seconds, one a part")
    parser.add_argument("--data", type=Path, help="part 4's archive of images")
    parser.add_argument("--weights", type=Path, help="a SqueezeNet's, for part 4's extractor")
    parser.add_argument("--over", type=Path, nargs="+", default=[], help="laid over its study")
    parser.add_argument("--commit", help="of this code, where no git can tell")
    parser.add_argument("--toy", action="store_true", help="at a size for two cores")
    given = parser.parse_args()
    if given.limits and len(given.limits) != len(given.parts):
        parser.error(f"--limits: {len(given.parts)} numbers, one for each of --parts")
    if 4 in given.parts and not given.data and not given.toy:
        parser.error("--data: part 4 needs the archive of images")
    files = {"data": [given.data], "weights": [given.weights], "over": given.over}
    for name, paths in files.items():
        for path in filter(None, paths):
            if not path.is_file():
                parser.error(f"--{name}: {path} is no file")
    stop_when_told()
    given.out = given.out.absolute()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lighthouse-logs-") as logs:
        ended = run(given, Path(logs))
    sys.exit(any(part["outcome"] != "done" for part in ended))


if __name__ == "__main__":
    main()
