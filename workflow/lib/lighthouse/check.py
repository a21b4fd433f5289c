"""Study files looked at before Snakemake reads them: nothing in them is run.

    uv run python -m lighthouse.check config/my.yaml [more.yaml ...]

Lays the files over the default and the preset that they name, as Snakemake does, and checks them
with their tables. Prints a line for each mistake, or one that says what the study computes, what
of the default's it leaves out, and what its jobs would not find on this disk. Where there are
mistakes the exit status is 1.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from lighthouse.config.disk import missing
from lighthouse.config.load import check_name, load_study
from lighthouse.config.paths import REPOSITORY
from lighthouse.config.presets import config_of
from lighthouse.config.schema import ConfigError
from lighthouse.config.study import Study
from lighthouse.runtime.counting import many


def study_of(paths: Iterable[str | Path]) -> Study:
    """The study of files laid over the default. Raises ``ConfigError`` with what is wrong."""
    return load_study(config_of(map(Path, paths), REPOSITORY), REPOSITORY)


def in_words(study: Study) -> str:
    """What a study computes, in one line."""
    run = study.run
    ipcs = ", ".join(map(str, run["ipc"]))
    sets = sum(len(study.seeds(cell)) for cell in study.cells)
    return (
        f"study {study.config['study']}: in order. {many(len(run['methods']), 'method')} on "
        f"{', '.join(run['datasets'])} at IPC {ipcs}: {many(len(study.cells), 'cell')}, "
        f"{many(sets, 'set')} in {many(len(study.replicates), 'replicate')}, judged by "
        f"{', '.join(run['students'])} under {', '.join(run['protocols'])}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit status."""
    parser = argparse.ArgumentParser("lighthouse.check", description=__doc__.split("\n")[0])
    parser.add_argument("study", nargs="+", help="a file, laid over those before it")
    try:
        study = study_of(parser.parse_args(arguments).study)
        check_name(study)
    except ConfigError as error:
        print(error)
        return 1
    print(in_words(study), *study.left_out, sep="\n")
    if lacks := missing(study):
        print("Before its jobs can run here:", *lacks, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
