"""Every result of a study by its digest, as runs wrote it: ``results/manifest.json``.

A run that begins leaves ``UNLISTED`` among the results. When it ends, what was written since then
is entered anew, and the mark is removed; a run that is killed leaves it to the next one. So what
is changed while no run goes on keeps its entry, by which ``lighthouse.verify`` tells it. When a
file was written is its ctime, which nobody can set, unlike the mtime that Snakemake goes by.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from lighthouse.config import rows, stamps
from lighthouse.config.paths import BENCHMARKS, LOGS, MANIFEST, RESULTS, UNLISTED
from lighthouse.config.study import Study
from lighthouse.results import machines_of, versions_of
from lighthouse.runtime.contents import read_record, sum_of
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json, write_json
from lighthouse.runtime.provenance import code_of

#: What lies among the results and is none: the repository's note, and the list itself.
BESIDE = frozenset({MANIFEST, LOGS, BENCHMARKS, "README.md"})
#: In names of what is no result either: states of trainings, which go on from there, and what of
#: these was set aside.
UNFINISHED = (".checkpoint", ".unreadable")
#: What of Snakemake's arguments names a study.
OF_STUDY = ("--configfile", "--config")
#: How a manifest is written where no job is left to be done: the target alone is.
ANEW = "`uv run snakemake --cores all --force` (and its --configfile) lists what is there"
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """A result as a run wrote it, ``bytes`` long, and what makes it. Paths are below the results.

    output: of the job that makes it, as Snakemake names the job, a file or a folder; None where
    the study no longer has it. record: of the cell that the file belongs to, without which the job
    makes that cell again; None where the file is the output itself, or in it.
    """

    sha256: str
    bytes: int
    output: str | None = None
    record: str | None = None


@dataclass
class Manifest:
    """The entries by path, and what is said of the run that wrote them last."""

    files: dict[str, Entry]
    about: dict


#: By each path that a job makes, a file or a folder: ``Entry.output`` and ``Entry.record``.
Makers = Mapping[str, tuple[str, str | None]]


def begin(folder: str | Path) -> int:
    """Mark since when what is written is a run's, unless one that was killed has done so.

    Returns when that is, for ``enter``.
    """
    mark = Path(folder) / UNLISTED
    if mark.is_symlink():  # which would be followed, and made elsewhere
        mark.unlink()
    elif mark.is_dir():
        shutil.rmtree(mark)
    if not mark.exists():
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
    return written(mark)


def enter(folder: str | Path, about: Mapping, makers: Makers, whole: bool, since: int) -> str:
    """Write the manifest of a run that ends.

    since: what ``begin`` returned. A run beside this one, of other targets, may have ended before
    it and removed the mark.
    makers: of the jobs of the run. whole: whether these were all of the study's, and all were done;
    then entries of files that are neither there nor made by them are left out. Returns a line
    on what was changed while no run went on, or nothing. Raises ``DataError`` as ``read_manifest``.
    """
    folder = Path(folder)
    place = folder / MANIFEST
    known = read_manifest(folder) if place.exists() else None
    old = known.files if known else {}
    listed = written(place) if known else 0
    mark = folder / UNLISTED
    since = min(since, written(mark)) if mark.exists() else since
    there = find_results(folder)
    times = {name: written(path) for name, path in there.items()}
    new = [name for name, time in times.items() if known is None or time >= since]
    own = [name for name in new if _is_text(name)]  # as all have that a run writes
    doubted = [name for name in times.keys() & old.keys() if listed <= times[name] < since]
    digests = entries({name: there[name] for name in {*own, *doubted}})
    files = {}
    for name, entry in sorted({**old, **{name: digests[name] for name in own}}.items()):
        output, record = _maker(name, makers)
        if output is None and not whole and name in old:
            output, record = old[name].output, old[name].record
        if name in there or output or not whole:
            files[name] = Entry(entry.sha256, entry.bytes, output, record)
    write_json(place, {**about, "files": {name: asdict(entry) for name, entry in files.items()}})
    mark.unlink(missing_ok=True)
    changed = sorted(name for name in doubted if not same(digests[name], old[name]))
    return _told(folder, changed) if changed else ""


def read_manifest(folder: str | Path) -> Manifest:
    """Read the manifest of a folder of results.

    Raises ``DataError`` where there is none, it is torn, or it names a path beyond the folder.
    """
    place = Path(folder) / MANIFEST
    if not place.exists():
        raise DataError(
            f"{place}: no such file: {folder} is no folder of results, or no run has ended there; "
            f"of a finished study {ANEW}"
        )
    try:
        about = read_json(place)
        files = {name: Entry(**entry) for name, entry in about.pop("files").items()}
        _check_about(**about)
        _check_words(about["study"], *about["arguments"], *chain(*map(_words, files.items())))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DataError(f"{place}: no list of results; remove it, and {ANEW}") from None
    for name, entry in files.items():
        if not all(map(_is_below, _words((name, entry)))):
            raise DataError(f"{place}: {name}: leads out of the folder of results; remove the list")
        if not SHA256.fullmatch(str(entry.sha256)):
            raise DataError(f"{place}: {name}: {entry.sha256!r} is no SHA-256; remove the list")
    return Manifest(files, about)


def find_results(folder: str | Path) -> dict[str, Path]:
    """All results below a folder by their paths in it, without what is hidden or not finished."""
    return {name: path for name, path in _walk(Path(folder)) if path.is_file()}


def find_others(folder: str | Path) -> list[str]:
    """What else lies there and is no folder: links to folders or to nothing, pipes, devices."""
    return [name for name, path in _walk(Path(folder)) if not path.is_file()]


def entries(files: Mapping[str, Path]) -> dict[str, Entry]:
    """What files are, by name."""
    with ThreadPoolExecutor() as pool:  # hashing leaves other threads their turn
        return dict(zip(files, pool.map(_entry, files.values()), strict=True))


def same(one: Entry, other: Entry) -> bool:
    """Whether two entries are of the same bytes."""
    return (one.sha256, one.bytes) == (other.sha256, other.bytes)


def written(path: Path) -> int:
    """When a file was last written, renamed or linked, in nanoseconds."""
    return path.stat().st_ctime_ns


def makers_of(jobs: Iterable) -> Makers:
    """What makes what, by Snakemake's jobs, and in these by their cells (``runtime.cells``)."""
    found: dict[str, tuple[str, str | None]] = {}
    for job in jobs:
        if job.temp_output:  # which goes with its job's last reader
            continue
        outputs = list(_below(job.output))
        found |= {output: (output, None) for output in outputs}
        for cell in job.params.get("cells", ()):
            if "record" in cell:
                own = list(_below((cell["record"], *cell.get("files", ()))))
                found |= dict.fromkeys(own, (outputs[0], own[0]))
    return found


def about_run(folder: str | Path, study: Study, arguments: list[str]) -> dict:
    """What a manifest says of its run: which study, which code, and where it was computed.

    arguments: of Snakemake, that name the study.
    """
    records = list(_records(Path(folder)))
    options = rows.study_options(study)
    return {
        "study": study.config["study"],
        "config": stamps.stamp(options),
        "arguments": arguments,
        **code_of(study.base),
        "versions": versions_of(records),
        "machines": machines_of(records),
    }


def _check_about(arguments: object, study: object, **_: object) -> None:
    """Raise ``TypeError`` where arguments are no list that names a study, and nothing else."""
    if not isinstance(arguments, list):
        raise TypeError(arguments)
    options = [word for word in arguments if str(word).startswith("-")]
    if arguments[:1] != options[:1] or not set(options) <= set(OF_STUDY):
        raise TypeError(arguments)


def _check_words(*words: object) -> None:
    """Raise ``TypeError`` or ``ValueError`` where one is no text."""
    for word in words:
        if not isinstance(word, str):
            raise TypeError(word)
        if not _is_text(word):
            raise ValueError(word)


def _words(item: tuple[str, Entry]) -> list[str]:
    name, entry = item
    return [name, *(path for path in (entry.output, entry.record) if path is not None)]


def _told(folder: Path, changed: Sequence[str]) -> str:
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return (
        f"{folder / changed[0]}{more}: changed since a run wrote it; "
        f"`uv run python -m lighthouse.verify {folder.absolute()}` says what to do"
    )


def _entry(path: Path) -> Entry:
    return Entry(sum_of(path), path.stat().st_size)


def _maker(name: str, makers: Makers) -> tuple[str | None, str | None]:
    places = (name, *map(str, PurePosixPath(name).parents))
    return next((makers[place] for place in places if place in makers), (None, None))


def _below(paths: Iterable[object]) -> Iterator[str]:
    start = f"{RESULTS}/"
    return (str(path).removeprefix(start) for path in paths if str(path).startswith(start))


def _is_below(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for top, folders, names in os.walk(folder):
        if Path(top) == folder:
            folders[:] = [name for name in folders if name not in BESIDE]
            names = [name for name in names if name not in BESIDE]
        folders[:] = sorted(name for name in folders if not _is_part(name))
        links = [name for name in folders if Path(top, name).is_symlink()]
        for path in (Path(top, name) for name in sorted([*names, *links]) if not _is_part(name)):
            yield path.relative_to(folder).as_posix(), path


def _is_part(name: str) -> bool:
    return name.startswith(".") or name.endswith(UNFINISHED)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # its bytes on the disk are no UTF-8
        return False
    return True


def _records(folder: Path) -> Iterator[dict]:
    """The records of the study and of tensor files that can be read: digests tell what is torn."""
    for path in (folder / "study.json", *sorted(folder.rglob("*.safetensors"))):
        with suppress(Exception):  # whatever damage looks like
            yield read_json(path) if path.suffix == ".json" else read_record(path)
