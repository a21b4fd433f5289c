"""Start-up time of every rule, and the share of a run that it takes.

    uv run python -m benchmarks.startup [--runs 3] [--results results]

Every Snakemake job is a new process that imports its libraries anew. This starts
each script's imports in fresh processes, round-robin so that a noisy machine hits
all alike, and prints the median beside the run times of the rule's jobs, as their
benchmark files under ``results/benchmarks`` have them.
"""

import argparse
import ast
import csv
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import LIBRARY
from lighthouse.runtime.bytecode import keep_bytecode

SCRIPTS = LIBRARY.parent / "scripts"

#: Folder of a stage's benchmark files, and the script behind them.
STAGES = {
    "datasets": "dataset",
    "autoencoders": "autoencoder",
    "downloads": "download",
    "pretrained": "pretrained",
    "weights": "weights",
    "pixels": "pixels",
    "latents": "latents",
    "priors": "prior",
    "surrogates": "surrogate",
    "samples": "sample",
    "shards": "sample",
    "distilled": "distilled",
    "reconstructed": "reconstructed",
    "teachers": "teacher",
    "classifiers": "teacher",
    "students": "student",
    "extractors": "extractor",
    "features": "features",
    "metrics/prior": "prior_verdict",
    "metrics/sets": "set_metrics",
    "metrics/strategies": "strategies",
    "metrics/tuning": "tuning",
    "tables": "report",
    "figures": "report",
}

#: What every job begins with.
STARTS = "from lighthouse.runtime.job import start\nstart(None)"

#: What a stage's jobs import besides, behind their script's start: every table is a page, too,
#: and most figures are drawn by one module.
LATE = {"tables": "lighthouse.report.rendering", "figures": "lighthouse.report.curve_figures"}


def program_of(stage: str) -> str:
    """How a stage's jobs start and what they import, as a program."""
    program = f"{STARTS}\n{imports_of(SCRIPTS / f'{STAGES[stage]}.py')}"
    return f"{program}\nimport {LATE[stage]}" if stage in LATE else program


def imports_of(script: Path) -> str:
    """The import statements at a script's top level, as a program."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    kept = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, kept))


def startup_seconds(program: str) -> float:
    """Wall-clock seconds of one fresh process that runs ``program``."""
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    keep_bytecode(environment, Path(".snakemake/pycache"))
    started = time.perf_counter()
    command = [sys.executable, "-c", program]
    subprocess.run(command, check=True, env=environment)  # noqa: S603 (programs of this module)
    return time.perf_counter() - started


def job_seconds(folder: Path) -> list[float]:
    """Wall-clock seconds of the jobs whose benchmark files lie in ``folder``."""
    found = []
    for path in sorted(folder.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += [float(row["s"]) for row in csv.DictReader(file, delimiter="\t")]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="processes a script (default 3)")
    parser.add_argument("--results", type=Path, default=Path("results"))
    options = parser.parse_args()
    programs = {stage: program_of(stage) for stage in STAGES}
    times: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for run in range(options.runs + 1):
        for stage, program in programs.items():
            seconds = startup_seconds(program)
            if run:  # the first round warms the file cache
                times[stage].append(seconds)
    print(f"{'stage':<20}{'start-up s':>11}{'jobs':>6}{'total s':>9}{'start-up %':>12}")
    spent = starting = 0.0
    for stage in STAGES:
        start, jobs = (
            statistics.median(times[stage]),
            job_seconds(options.results / "benchmarks" / stage),
        )
        spent, starting = spent + sum(jobs), starting + start * len(jobs)
        share = f"{100 * start * len(jobs) / sum(jobs):.0f}" if jobs else "-"
        print(f"{stage:<20}{start:>11.1f}{len(jobs):>6}{sum(jobs):>9.1f}{share:>12}")
    if spent:
        print(f"{'all jobs':<20}{'':>17}{spent:>9.1f}{100 * starting / spent:>12.0f}")


if __name__ == "__main__":
    main()
