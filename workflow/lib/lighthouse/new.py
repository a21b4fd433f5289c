"""A study file for a folder of images of one's own.

    uv run python -m lighthouse.new NAME --images DIR [--minutes M] [--size PX]
        [--preset small|medium|large|pretrained] [--ipc 1 5 10] [--out FILE]

Looks at the folder, measures this machine for some seconds, and writes NAME.yaml (or FILE): a
study that takes about M minutes (30 unless given). Prints what it found, what it proposes and why,
how long each stage takes, and the command that runs it. Where something is wrong it says what, a
line each, and writes nothing; the exit status is then 1. A file that is there is never written
over.
"""

import argparse
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from lighthouse.config.paths import REPOSITORY
from lighthouse.config.presets import PRESETS
from lighthouse.config.schema import ConfigError, check, load_schema
from lighthouse.datasets.survey import Survey, look
from lighthouse.datasets.walking import images, is_plain
from lighthouse.proposal.draft import Asked, Draft, Machine, draft
from lighthouse.proposal.estimate import estimate
from lighthouse.proposal.plan import lengths_of, plan
from lighthouse.proposal.study_file import DATASET, Lengths, command_of, study_of, text_of
from lighthouse.runtime.counting import many
from lighthouse.runtime.devices import visible_devices
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import whole
from lighthouse.runtime.lazy import import_lazily

#: Seconds that each part of the measurement is given, about.
SECONDS = 1.0
#: A month.
MOST_MINUTES = 43_200
#: Letters of a printed line.
WIDE = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit status."""
    given = _parser().parse_args(arguments)
    try:
        _propose(given)
    except (DataError, ConfigError, OSError, MemoryError) as error:
        print(error)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("lighthouse.new", description=__doc__.split("\n")[0])
    parser.add_argument("name", help="of the study; its results go to runs/NAME")
    parser.add_argument("--images", required=True, metavar="DIR", help="the folder of images")
    parser.add_argument("--minutes", default="30", help="that the study may take about (30)")
    parser.add_argument("--size", metavar="PX", help="pixels a side; else by the images")
    parser.add_argument("--preset", help=f"one of {', '.join(PRESETS)}; else by the machine")
    parser.add_argument(
        "--ipc", nargs="+", metavar="N", help="images per class; else by the images"
    )
    parser.add_argument("--out", metavar="FILE", help="the file to write; else NAME.yaml here")
    return parser


def asked_of(given: argparse.Namespace) -> tuple[Asked, Path]:
    """What the arguments ask for, and the file to write.

    Raises ``DataError`` with a line for each that cannot be.
    """
    schema = load_schema(REPOSITORY / "workflow" / "schemas" / "config.schema.yaml")
    lines = check(given.name, {"$defs": schema["$defs"], "$ref": "#/$defs/name"}, "NAME")
    if given.name == "default":
        lines.append("NAME: 'default' is the study of config/config.yaml; choose another")
    root = Path(given.images).expanduser()
    if not given.images or not root.is_dir():
        what = "is no folder" if root.exists() else "no such folder"
        lines.append(f"--images: {root}: {what}; allowed: a folder with a folder for each class")
    elif not is_plain(str(root.resolve())):
        lines.append(
            f"--images: {str(root.resolve())!a}: a name that no study file holds; allowed: "
            "UTF-8 without control characters"
        )
    minutes = _number(given.minutes, float)
    if minutes is None or not 0 < minutes <= MOST_MINUTES:
        lines.append(
            f"--minutes: {given.minutes!r}; allowed: a number above 0, at most {MOST_MINUTES:,}"
        )
    size = None if given.size is None else _number(given.size, int)
    if given.size is not None and (size is None or size % 8 or not 16 <= size <= 4096):
        lines.append(f"--size: {given.size!r}; allowed: a multiple of 8 from 16 to 4096")
    if given.preset is not None and given.preset not in PRESETS:
        lines.append(f"--preset: {given.preset!r}; allowed: {', '.join(PRESETS)}")
    ipc = None if given.ipc is None else [_number(word, int) for word in given.ipc]
    if ipc is not None and not all(n and 0 < n <= 100_000 for n in ipc):
        lines.append(f"--ipc: {' '.join(given.ipc)!r}; allowed: whole numbers from 1 to 100000")
    out = Path(given.out or f"{given.name}.yaml").expanduser()
    if out.exists() or out.is_symlink():
        lines.append(
            f"{out}: is there, and is not written over; remove it, or name another (--out)"
        )
    elif not out.absolute().parent.is_dir():
        lines.append(f"{out}: its folder is not there; make it, or name another file (--out)")
    if lines:
        raise DataError("\n".join(lines))
    return Asked(given.name, root.resolve(), minutes, size, given.preset, ipc), out


def _number(word: str, kind: type) -> float | int | None:
    """A number as it is written in ASCII, without underscores; else None."""
    try:
        return kind(word) if word.isascii() and "_" not in word else None
    except ValueError:
        return None


def _propose(given: argparse.Namespace) -> None:
    asked, out = asked_of(given)
    machine = Machine(len(os.sched_getaffinity(0)), bool(visible_devices(os.environ)))
    survey = look(asked.images, machine.cores)
    first = draft(asked, survey, machine)
    print(*_wrapped(f"Found in {asked.images}: {survey.paragraph()}"), sep="\n")
    print("Measuring this machine …", flush=True)
    import_lazily()
    from lighthouse.proposal.speeds import measured  # torch: not where nothing is measured

    with TemporaryDirectory() as place:
        folder = Path(place)

        study = study_of(text_of(first, lengths_of(first.preset), "Measured."), folder)
        speeds = measured(study, DATASET, _some(survey), SECONDS)

        def stages_of(draft: Draft, lengths: Lengths) -> dict[str, float]:
            study = study_of(text_of(draft, lengths, "Estimated."), folder)
            return estimate(study, draft.images, speeds, machine.cores, machine.gpu)

        made = plan(first, asked, stages_of)
        minutes = sum(made.stages.values()) / 60
        about = f"Its lengths are for about {many(minutes, 'minute')} on the machine that wrote it."
        here = out.resolve()
        file = str(here.relative_to(REPOSITORY) if here.is_relative_to(REPOSITORY) else here)
        text = text_of(made.draft, made.lengths, about, file)
        study_of(text, folder)
    print("Proposed:")
    for line in (*made.draft.reasons, *made.notes):
        print(*_wrapped(line, "  "), sep="\n")
    print(f"Time on this machine, if nothing else runs, about {many(minutes, 'minute')}:")
    for name, seconds in made.stages.items():
        print(f"  {seconds / 60:6.1f}  {name}")
    if (REPOSITORY / "runs" / asked.name).exists():
        print(f"runs/{asked.name} is there: results of a study of that name go on in it.")
    with whole(out) as beside:
        beside.write_text(text, encoding="utf-8")
    print(f"{out} is written. Next, in {REPOSITORY}:")
    print(f"  {command_of(made.draft, file)}")


def _wrapped(text: str, before: str = "") -> Iterator[str]:
    for line in text.splitlines():
        yield from textwrap.wrap(line, WIDE, initial_indent=before, subsequent_indent=before + "  ")


def _some(survey: Survey) -> list[Path]:
    """Some images of each class."""
    folder = survey.folders.get("train") or survey.folders["all"]
    return [path for name in survey.classes for path in islice(images(folder / name), 4)]


if __name__ == "__main__":
    sys.exit(main())
