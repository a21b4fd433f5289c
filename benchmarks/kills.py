"""A study that is killed again and again, beside one that nobody disturbs: the same results.

    uv run python -m benchmarks.kills --kills 20 --seed 0 --directory DIR [--reference DIR] \
        [--configfile FILE …]

The study runs in DIR from nothing. At random moments Snakemake and all that it started get SIGKILL
at once; then the lock is taken off, and the same command goes on, until it has been killed
``--kills`` times and ends by itself. The reference is a finished run of the same study; without
one it is made first, in ``DIR-reference``.

A kill comes when the jobs that have ended, and those that run, have come to so many seconds of
jobs in the reference: one moment is drawn in each of as many equal parts of all its seconds. So
kills are spread over the whole study, and no start-up gets more than its share. Where jobs that
went on from a checkpoint have passed the next moment by then, it is drawn in what is left.

At the end both folders must hold the same results byte for byte, but for what the clock and the
memory said (``lighthouse.alike``), and be as their manifests say. ``kills.csv`` in DIR has a row
of each kill: seconds since the beginning and since this start, how many jobs had ended, their
seconds in the reference, and the jobs that ran. The exit status is 0 where all is the same, and 1
where it is not, a run failed, or the study ended before it was killed so often. Linux alone: which
processes a run has started stands in /proc.
"""

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks import ROOT
from benchmarks.limits import stop_when_told
from lighthouse.alike import unlike
from lighthouse.config.paths import BENCHMARKS, LOGS, RESULTS, UNLISTED
from lighthouse.manifest import read_manifest
from lighthouse.tables import write_rows
from lighthouse.verify import look

#: What both manifests must say of their runs alike.
ABOUT = ("study", "config", "versions", "machines")
#: How often, in seconds, it is looked at what runs.
LOOK_SECONDS = 0.2
#: A variable in the environment of a run, by which all that it started is found.
MARK = "LIGHTHOUSE_KILLS"
PROCESSES = Path("/proc")


class Run:
    """A call of Snakemake, with all processes that it starts, in whatever group or session.

    As a context none of them is left behind it.
    """

    def __init__(self, command: Sequence[str], log: Path):
        self.mark = uuid.uuid4().hex
        with log.open("ab") as file:
            self.process = subprocess.Popen(  # noqa: S603 (the study that is killed)
                list(command),
                cwd=ROOT,
                env={**os.environ, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started = time.monotonic()
        self.since: dict[str, float] = {}  # when a job that runs was first seen

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def jobs(self) -> dict[str, float]:
        """The jobs that run, with the seconds that they have been seen for."""
        now = time.monotonic()
        running = {job for pid in self.own() if (job := _job(pid))}
        self.since = {job: self.since.get(job, now) for job in sorted(running)}
        return {job: now - since for job, since in self.since.items()}

    def kill(self) -> None:
        """Kill all, Snakemake first, and see them gone."""
        self.process.kill()
        while own := [*self.own()]:
            for pid in own:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def own(self) -> Iterator[int]:
        """The processes of the run."""
        mark = f"{MARK}={self.mark}".encode()
        for place in PROCESSES.glob("[0-9]*"):
            with suppress(OSError):  # it has ended, or is another user's
                if mark in (place / "environ").read_bytes().split(b"\0"):
                    yield int(place.name)


def finished(command: Sequence[str], log: Path) -> int:
    """Run Snakemake undisturbed; its exit code."""
    with Run(command, log) as run:
        return run.process.wait()


def _job(pid: int) -> str | None:
    """The job that a process is, by the log that it writes; None of another process.

    Before it has begun to write one, the script's name.
    """
    place = PROCESSES / str(pid)
    with suppress(OSError):
        for file in place.glob("fd/*"):
            _, found, name = str(file.readlink()).partition(f"/{RESULTS}/{LOGS}/")
            if found and name.endswith(".log"):
                return name.removesuffix(".log")
        words = (place / "cmdline").read_bytes().decode().split("\0")
        if len(words) > 1 and ".snakemake/scripts/" in words[1]:
            return f"{Path(words[1]).name.partition('.')[2]} starting"
    return None


def job_seconds(study: Path) -> dict[str, float]:
    """Seconds of the jobs that have ended in a study's folder, by the names of their results."""
    folder, found = study / RESULTS / BENCHMARKS, {}
    for path in folder.rglob("*.tsv"):
        with suppress(FileNotFoundError), path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
            if rows:  # else it is being written
                found[str(path.relative_to(folder).with_suffix(""))] = float(rows[0]["s"])
    return found


def moment(kill: int, kills: int, draw: float, seconds: float, ended: float) -> float:
    """When a start is killed, in seconds of jobs.

    kill: the first is 0. draw: from [0, 1). seconds: of all jobs; ended: of those that have
    ended when it starts.
    """
    planned = seconds * (kill + draw) / kills
    return max(planned, ended + draw * (seconds - ended) / (kills - kill))


class Kills:
    """A study that is killed at random moments.

    command: of Snakemake. study: its folder. reference: seconds of the reference's jobs.
    """

    def __init__(self, command: Sequence[str], study: Path, reference: dict[str, float]):
        self.command, self.study, self.reference = command, study, reference
        self.log = study / "kills.log"
        self.rows: list[dict] = []

    def go_through(self, draws: Sequence[float]) -> str | None:
        """Run the study to its end, with a kill for each draw. Returns what went wrong, if any."""
        began, seconds = time.monotonic(), sum(self.reference.values())
        for kill, draw in enumerate(draws, 1):
            at = moment(kill - 1, len(draws), draw, seconds, self._ended())
            with Run(self.command, self.log) as run:
                code = self._until(run, at)
                if code is not None:
                    how = "ended" if code == 0 else f"failed (exit {code})"
                    return f"it {how} before kill {kill}: {self.log}"
                self._kill(run, kill, began)
            if finished([*self.command, "--unlock"], self.log):
                return f"--unlock failed behind kill {kill}: {self.log}"
        code = finished(self.command, self.log)
        if not code and (self.study / RESULTS / UNLISTED).exists():
            # The last kill came behind the last job: with nothing to do, a run lists nothing.
            code = finished([*self.command, "--force"], self.log)
        return f"it failed behind the last kill (exit {code}): {self.log}" if code else None

    def _until(self, run: Run, at: float) -> int | None:
        """Wait until the study has come to a moment; the exit code if it ends before."""
        while (code := run.process.poll()) is None:
            if self._ended() + self._of(run.jobs()) >= at:
                return None
            time.sleep(LOOK_SECONDS)
        return code

    def _ended(self) -> float:
        return sum(self.reference.get(name, 0.0) for name in job_seconds(self.study))

    def _of(self, running: dict[str, float]) -> float:
        """Seconds of jobs that run, each no longer than its own in the reference."""
        return sum(min(seconds, self.reference.get(job, 0.0)) for job, seconds in running.items())

    def _kill(self, run: Run, kill: int, began: float) -> None:
        row = {
            "kill": kill,
            "seconds": time.monotonic() - began,
            "seconds_of_start": time.monotonic() - run.started,
            "seconds_of_jobs_ended": self._ended(),
            "jobs_ended": len(job_seconds(self.study)),
            "jobs_of_study": len(self.reference),
            "running": ", ".join(run.jobs()),
        }
        run.kill()
        self.rows.append(row)
        write_rows(self.study / "kills.csv", self.rows)
        print(f"kill {kill} at {row['seconds']:.1f} s: {row['running'] or 'no job'}", flush=True)


def compared(reference: Path, study: Path) -> tuple[list[str], bool]:
    """What two finished studies have in common, in lines, and whether that is all."""
    one, two = reference / RESULTS, study / RESULTS
    timed, other = unlike(one, two)
    lists = [read_manifest(folder) for folder in (one, two)]
    told = {key for key in ABOUT if lists[0].about[key] != lists[1].about[key]}
    unclean = [str(f) for f, m in zip((one, two), lists, strict=True) if not look(f, m).is_clean()]
    lines = [
        f"{len(lists[0].files)} results, {len(lists[1].files)} of them where it was killed",
        f"{len(timed)} differ in what the clock or the memory said:",
        *(f"    {name}" for name in timed),
        f"{len(other)} differ otherwise",
        *(f"    {name}" for name in other),
        *(f"the manifests differ: {key}" for key in sorted(told)),
        *(f"not as its manifest says: {folder}" for folder in unclean),
    ]
    return lines, not (other or told or unclean)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--directory", type=Path, required=True, help="where the study runs")
    parser.add_argument("--reference", type=Path, help="a folder in which it has run")
    parser.add_argument("--configfile", nargs="+", default=[], help="the study's; the default's")
    parser.add_argument("--cores", default="all")
    given = parser.parse_args(arguments)
    study = given.directory.absolute()
    reference = given.reference or study.with_name(f"{study.name}-reference")
    if study.exists():
        parser.error(f"--directory: {study} is there already; the study begins with nothing")
    files = ["--configfile", *given.configfile] if given.configfile else []

    def command(folder: Path) -> list[str]:
        words = ["snakemake", "--cores", given.cores, *files, "--directory", str(folder)]
        return [sys.executable, "-m", *words]

    stop_when_told()
    study.mkdir(parents=True)
    if not given.reference:
        print(f"undisturbed, in {reference}", flush=True)
        if finished(command(reference), study / "reference.log"):
            print(f"the reference failed: {study}/reference.log", file=sys.stderr)
            return 1
    draw = random.Random(given.seed)  # noqa: S311 (moments that can be drawn again)
    draws = [draw.random() for _ in range(given.kills)]
    wrong = Kills(command(study), study, job_seconds(reference)).go_through(draws)
    if wrong:
        print(wrong, file=sys.stderr)
        return 1
    lines, same = compared(reference, study)
    print(*lines, sep="\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
