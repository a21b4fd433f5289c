"""Whether results are as runs wrote them, and what to make again where they are not.

    uv run python -m lighthouse.verify [DIR]

DIR is a folder of results, or the study's folder that it is in. The exit status is 0 where every
file is as a run wrote it, 1 where one is not, 2 where it cannot be told, without a manifest say.
"""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lighthouse.config.paths import MANIFEST, REPOSITORY, RESULTS, UNLISTED
from lighthouse.manifest import (
    Manifest,
    entries,
    find_others,
    find_results,
    read_manifest,
    same,
    written,
)
from lighthouse.runtime.errors import DataError


@dataclass
class Found:
    """What is not as the manifest has it, by path.

    differs: other bytes. lacks: not there, though the study makes it. foreign: written by no run;
    links to folders are, and are not looked into. unlisted: written since a run began that has
    not ended.
    """

    differs: list[str]
    lacks: list[str]
    foreign: list[str]
    unlisted: list[str]

    def is_clean(self) -> bool:
        """Whether there is nothing."""
        return not (self.differs or self.lacks or self.foreign or self.unlisted)


def look(folder: Path, manifest: Manifest) -> Found:
    """Compare a folder of results with its manifest."""
    there, known = find_results(folder), manifest.files
    mark = folder / UNLISTED
    since = written(mark) if mark.exists() else None
    unlisted = {name for name in there if since is not None and written(there[name]) >= since}
    listed = {name: there[name] for name in known.keys() & there.keys() - unlisted}
    now = entries(listed)
    return Found(
        differs=sorted(name for name in listed if not same(now[name], known[name])),
        lacks=sorted(n for n in known.keys() - there.keys() if known[n].output),
        foreign=sorted({*(there.keys() - known.keys() - unlisted), *find_others(folder)}),
        unlisted=sorted(unlisted),
    )


def report(folder: Path, manifest: Manifest, found: Found) -> Iterator[str]:
    """What was found, and what to do, line by line."""
    about = manifest.about
    yield f"{folder}: {len(manifest.files)} files of the study {about['study']!r}"
    if found.is_clean():
        yield "all are as a run wrote them"
        return
    yield from _listed("other bytes than a run wrote", folder, found.differs)
    yield from _listed("not there", folder, found.lacks)
    yield from _listed("written by no run", folder, found.foreign)
    if found.unlisted:
        yield f"{len(found.unlisted)} written by a run that goes on, or was stopped"
    yield "\nWhat to do:"
    yield from (f"    {command}" for command in advice(folder, manifest, found))


def advice(folder: Path, manifest: Manifest, found: Found) -> Iterator[str]:
    """Commands that make anew what is not right, and all that follows from it.

    Snakemake makes again what it is told of by name. A job that does many cells does those whose
    record is not there. A run that was killed may have left no job to the next one, which lists
    what was written if its target is forced. What no run has written may be somebody's notes: it is
    moved, not removed.
    """
    known = manifest.files
    wrong = [known[name] for name in (*found.differs, *found.lacks)]
    gone = {entry.record for entry in wrong if entry.record}
    gone |= {name for name in found.differs if not known[name].output}
    gone |= {name for name in found.lacks if (folder / name).is_dir()}
    if found.foreign:  # links first, through which nothing is to be removed
        beside = folder.with_name(f"{folder.absolute().name}-moved")
        yield f"mkdir -p {shlex.quote(str(beside))}"
        for name in found.foreign:
            yield f"mv -n {_shown(folder / name, shlex.quote)} {shlex.quote(str(beside))}"
    yield from (_removal(folder / name) for name in sorted(gone))
    outputs = sorted({f"{RESULTS}/{entry.output}" for entry in wrong if entry.output})
    if outputs or found.unlisted:
        words = ["uv", "run", "snakemake", "--cores", "all", *_study(folder, manifest.about)]
        words += ["--force"] if found.unlisted else []
        yield shlex.join([*words, *(["-R", *outputs] if outputs else [])])
    yield shlex.join(["uv", "run", "python", "-m", "lighthouse.verify", str(folder)])


def _study(folder: Path, about: dict) -> list[str]:
    """Arguments of Snakemake that name the study, and its folder where it is no study's own."""
    place, name = folder.absolute().parent, about["study"]
    own = REPOSITORY if name == "default" else REPOSITORY / "runs" / name
    return [*about["arguments"], *([] if place == own else ["--directory", str(place)])]


def _listed(what: str, folder: Path, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{len(names)} {what}:"
        yield from (f"    {_shown(folder / name)}" for name in names)


def _removal(path: Path) -> str:
    """The command that removes a file, a link, or a folder in the place of a file."""
    options = "-rf" if path.is_dir() and not path.is_symlink() else "-f"
    return f"rm {options} {_shown(path, shlex.quote)}"


def _shown(path: Path, quote: Callable[[str], str] = str) -> str:
    """A path in one line; as a shell reads it where it has what cannot be seen."""
    text = str(path)
    if text.isprintable():
        return quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser("lighthouse.verify", description=__doc__.split("\n")[0])
    where = f"a folder of results, or a study's (default {RESULTS})"
    parser.add_argument("folder", nargs="?", default=RESULTS, metavar="DIR", type=Path, help=where)
    folder = parser.parse_args(arguments).folder
    if not (folder / MANIFEST).exists() and (folder / RESULTS).is_dir():
        folder /= RESULTS
    try:
        manifest = read_manifest(folder)
        found = look(folder, manifest)
    except (DataError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print(*report(folder, manifest, found), sep="\n")
    return 0 if found.is_clean() else 1


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `| head` ends it without a word
    sys.exit(main())
