"""What the jobs of a run took, rule by rule, and how long each number of them ran side by side.

    uv run python -m benchmarks.jobs [FOLDER]

Read from what Snakemake keeps below FOLDER (here, unless given) in ``.snakemake/metadata``, which
has each job's latest start and end. What ran alone while others could have run beside it is the
time that another order of the jobs would save.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks import LIBRARY  # noqa: F401
from lighthouse.runtime.counting import many


class Ran(NamedTuple):
    """A job: its rule, and the seconds on the clock at which it began and ended."""

    rule: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """What it took."""
        return self.ended - self.began


def jobs_of(folder: Path) -> list[Ran]:
    """The jobs that were run in a folder, in the order of their starts."""
    outputs: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for path in Path(folder, ".snakemake", "metadata").rglob("*"):
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["starttime"] and kept["endtime"]:  # not of one cut short
                times = kept["starttime"], kept["endtime"]
                outputs[kept["rule"], kept["job_hash"]].append(times)
    found: list[Ran] = []
    for (rule, _), times in outputs.items():
        own: list[Ran] = []
        # The outputs of one job have times a moment apart; another run may have had the same hash.
        for began, ended in sorted(times):
            if own and began < own[-1].ended:
                own[-1] = own[-1]._replace(ended=max(ended, own[-1].ended))
            else:
                own.append(Ran(rule, began, ended))
        found += own
    return sorted(found, key=lambda job: job.began)


def side_by_side(jobs: Iterable[Ran]) -> dict[int, float]:
    """Seconds during which so many jobs ran, from the first start to the last end."""
    # At one moment an end goes before a start.
    changes = sorted(change for job in jobs for change in ((job.began, 1), (job.ended, -1)))
    seconds: dict[int, float] = defaultdict(float)
    running = 0
    for (moment, change), (after, _) in pairwise(changes):
        running += change
        seconds[running] += after - moment
    return dict(sorted(seconds.items()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    folder = parser.parse_args().folder
    jobs = jobs_of(folder)
    if not jobs:
        sys.exit(f"{folder / '.snakemake' / 'metadata'} has no jobs: has a run ended in {folder}?")
    rules: dict[str, list[float]] = defaultdict(list)
    for job in jobs:
        rules[job.rule].append(job.seconds)
    print(f"{'rule':<32}{'jobs':>6}{'seconds':>9}{'longest':>9}")
    for rule, took in sorted(rules.items(), key=lambda row: -sum(row[1])):
        print(f"{rule:<32}{len(took):>6}{sum(took):>9.1f}{max(took):>9.1f}")
    total = sum(job.seconds for job in jobs)
    print(f"{'all':<32}{len(jobs):>6}{total:>9.1f}{max(job.seconds for job in jobs):>9.1f}\n")
    for count, seconds in side_by_side(jobs).items():
        print(f"{many(count, 'job')} at a time: {seconds:.1f} s")


if __name__ == "__main__":
    main()
