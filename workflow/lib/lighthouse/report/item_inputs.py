"""What items of several kinds read: finished tables, and records of cells."""

from collections.abc import Sequence

from lighthouse.config import paths, rows
from lighthouse.config.study import Study

#: Categories of the report. The first of them is its first page's.
FIRST, SECOND, THIRD = "1 Leaderboard", "2 Figures", "3 Tables"


def of_records(records: Sequence[rows.Expected], jobs: Sequence[str]) -> dict:
    """An item's fields for records of cells. jobs: those that write them."""
    stamps = {record.path: record.stamp for record in records}
    paths_of_records = [record.path for record in records]
    return {"inputs": {"records": paths_of_records}, "stamps": stamps, "jobs": jobs}


def finished(*names: str) -> dict[str, str]:
    """Finished tables as inputs."""
    return {name: paths.table(name) for name in names}


def strategies(study: Study) -> tuple[list[rows.Expected], list[str]]:
    """The records of the strategies' measures, and those of the jobs that write them."""
    datasets = study.run["datasets"]
    jobs = [paths.batch("strategies", dataset, "all") for dataset in datasets]
    return rows.strategies_records(study, datasets), jobs
