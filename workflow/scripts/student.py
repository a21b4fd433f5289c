"""Rule `student`: students trained from scratch on each cell's sets, several for each seed."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.runs import run_sets, students_record  # noqa: E402
from lighthouse.students.teacher import load_teacher  # noqa: E402
from lighthouse.students.trainer import read_pixels, read_set  # noqa: E402

network, protocol, params = job.params.network, job.params.protocol, job.params
parts = read_pixels(job.input.pixels)
teacher = load_teacher(job.input.teacher[0], device()) if job.input.teacher else None


def make(cell: dict) -> dict:
    """Train and score the students of one cell."""
    ipc, size = cell["ipc"], parts["test"].size
    runs = run_sets(
        lambda seed: read_set(cell["images"], seed, ipc).resized(size).to(device()),
        params.seeds,
        parts,
        network,
        protocol,
        ipc,
        cell["student_seeds"],
        teacher,
        params.at_once,
    )
    names = {"student": job.wildcards.student, "protocol": job.wildcards.protocol}
    about = provenance(**names, **cell["row"], network=network, recipe=protocol)
    return {**students_record(runs, parts, about), **job.cost()}


read = [job.input.pixels, *job.input.teacher]
run_cells(job, params.cells, make, read)
