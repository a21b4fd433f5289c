"""The cells of one job: each is done once, recorded by itself, and stops no other by failing.

Snakemake knows the job's own record alone, the *batch's*. Beside it lies a record for each
cell, with the digest of all that it was made from, so that a job which runs again, because a
cell joined it, a value of another one changed, or it was killed, does what is not there.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lighthouse.runtime.contents import file_digest
from lighthouse.runtime.counting import many
from lighthouse.runtime.errors import DataError, StorageError
from lighthouse.runtime.files import read_json, write_json
from lighthouse.runtime.job import Job, log, told


def content_digest(paths: Iterable[str | Path]) -> str:
    """A digest of what files hold, and of all files in folders, by their names in these.

    On which machine it was computed does not count (``runtime.contents``).
    """
    sha = hashlib.sha256()
    for path in map(Path, paths):
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in inside:
            sha.update(str(file.relative_to(path)).encode())
            sha.update(file_digest(file))
    return sha.hexdigest()[:24]


def made_from(*parts: str) -> str:
    """One digest of several."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def checkpoint_of(record: str | Path) -> Path:
    """Where what is done of a cell is kept until it has its record (``runtime.keeper``)."""
    return Path(f"{record}.checkpoint")


def recorded(path: str | Path) -> dict | None:
    """A cell's record; None where there is none, or one that cannot be read, which is logged."""
    if not Path(path).is_file():
        return None
    try:
        return read_json(path, "taken as not there")
    except DataError as error:
        log.warning("%s", error)
        return None


def run_cells(
    job: Job,
    cells: Sequence[Mapping],
    work: Callable[[Mapping], Mapping],
    read: Iterable[str | Path] = (),
) -> None:
    """Do what is not done of a job's cells, and write its record.

    cells: each with the path of its ``record``, its ``stamp`` (``config.stamps``) and maybe
    ``sources``, the records of what it alone is made from, ``files``, what it is beside its
    record, ``gathered``, the record and the files of the cell that these may have been put into and
    removed, and ``code``, a digest of its own. work: makes one cell, which has its
    ``made`` too (see below), and returns what its record is to hold. read: the files and folders
    that all cells are made from.

    The record of a cell has ``stamp`` and ``made``, a digest of these, of what the files hold
    and of the job's code (``job.params.code``, where the rule gives one). It is
    written last, and removed before work begins: what a failure leaves behind has no record.
    An error is logged, and the cells behind it are done all the same, but behind one that the
    disk did not take (``StorageError``). The batch's record,
    ``job.output.record``, has ``made`` by path, ``failed``, the errors, and ``left``, cells
    that something was to be made from which is not there.
    """
    basis = made_from(getattr(job.params, "code", ""), content_digest(read))
    made, failed, left, kept = {}, {}, {}, 0
    for cell in cells:
        path = cell["record"]
        try:
            digest = made_from(
                cell["stamp"], cell.get("code", ""), basis, *map(_made, cell.get("sources", ()))
            )
            if _is_whole(cell) and (recorded(path) or {}).get("made") == digest:
                kept += 1
            else:
                Path(path).unlink(missing_ok=True)
                job.work_begins()
                facts = work({**cell, "made": digest})
                write_json(path, {**facts, "stamp": cell["stamp"], "made": digest})
            checkpoint_of(path).unlink(missing_ok=True)
            made[path] = digest
        except _SourceMissing as error:
            Path(path).unlink(missing_ok=True)
            left[path] = str(error)
            log.error("%s: left out, without %s", path, error)
        except StorageError:
            raise  # no other cell could be written either
        except Exception as error:  # whatever stops one cell
            Path(path).unlink(missing_ok=True)
            failed[path] = f"{type(error).__name__}: {error}"
            if words := told(error):
                log.error("%s: %s", path, words)
            else:
                log.error("%s: stopped", path, exc_info=error)
    write_json(job.output.record, {"made": made, "failed": failed, "left": left})
    counts = {"were there": kept, "failed": len(failed), "left out": len(left)}
    words = [f"{len(made) - kept} done", *(f"{n} {what}" for what, n in counts.items() if n)]
    job.done(f"{many(len(cells), 'cell')}: {', '.join(words)}")


def lost_cells(record: str | Path, cells: Iterable[Mapping]) -> list[str]:
    """The cells that a job's record has as made, and of which a file is no longer there.

    Or whose record cannot be read; that of the job itself, too, where it is none of a job.
    Snakemake knows none of these files. As a parameter of the rule, empty as long as nobody
    removes one, this makes it run the job again.
    """
    found = recorded(record)
    if not _is_of_job(found):
        return [str(record)] if Path(record).is_file() else []
    own = (cell for cell in cells if cell["record"] in found["made"])
    return [cell["record"] for cell in own if not (_is_whole(cell) and recorded(cell["record"]))]


def _is_of_job(record: dict | None) -> bool:
    keys = ("made", "failed", "left")
    return record is not None and all(isinstance(record.get(key), dict) for key in keys)


def _is_whole(cell: Mapping) -> bool:
    if not Path(cell["record"]).exists():
        return False
    return _are_there(cell.get("files", ())) or _is_gathered(cell)


def _is_gathered(cell: Mapping) -> bool:
    """Whether a cell's files, which are not all there, lie in those of another with its stamp."""
    if not (paths := cell.get("gathered")):
        return False
    return _are_there(paths) and (recorded(paths[0]) or {}).get("stamp") == cell["stamp"]


def _are_there(paths: Iterable[str | Path]) -> bool:
    return all(Path(path).exists() for path in paths)


def forget_failures(folder: str | Path) -> tuple[dict[str, str], dict[str, str]]:
    """Remove the records of jobs below a folder that did not make all their cells.

    Their jobs then run again, and do what is not there. Returns the errors of the cells that
    failed, by path, and of those that were left out what they lacked.
    """
    records = {path: recorded(path) for path in sorted(Path(folder).rglob("*.json"))}
    # Of those of cells, which lie there too, none has these; nor has one that something spoilt,
    # whose job runs again (``lost_cells``).
    jobs = {path: record for path, record in records.items() if _is_of_job(record)}
    unfinished = {
        path: record for path, record in jobs.items() if record["failed"] or record["left"]
    }
    for path in unfinished:
        path.unlink()
    failed, left = (
        {cell: why for record in unfinished.values() for cell, why in record[key].items()}
        for key in ("failed", "left")
    )
    return failed, left


class _SourceMissing(Exception):
    """What a cell is made from is not there."""


def _made(source: str) -> str:
    """The digest of what a cell is made from. Raises ``_SourceMissing`` where it was not made."""
    made = (recorded(source) or {}).get("made")
    if made is None:
        raise _SourceMissing(source)
    return made
