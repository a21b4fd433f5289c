"""Rules `tuning` and `scale`: of candidates those that are best on the validation part."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import read_json  # noqa: E402
from lighthouse.students.tuning import tried, tuning_record  # noqa: E402


def make(cell: dict) -> dict:
    """Choose the weights of one cell, or the guidance scale of its dataset."""
    candidates = []
    for candidate in cell["candidates"]:
        students, samples = (read_json(candidate[key]) for key in ("students", "samples"))
        seconds = samples["seconds"] + students["seconds"]
        candidates.append(tried(candidate, students, seconds))
    return tuning_record(candidates)


run_cells(job, job.params.cells, make)
