"""Rule `student`: students trained from scratch on each cell's sets, several for each seed."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.runtime.cells import checkpoint_of, made_from, run_cells  # noqa: E402
from lighthouse.runtime.keeper import Keeper  # noqa: E402
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
    # Of groups of other sizes the state would be another's.
    key = made_from(cell["made"], str(params.at_once))
    keeper = Keeper(checkpoint_of(cell["record"]), key, params.checkpoint_seconds)
    runs = run_sets(
        lambda seed: read_set(cell["images"], seed, ipc, cell["labels"]).resized(size).to(device()),
        params.seeds,
        parts,
        network,
        protocol,
        ipc,
        cell["student_seeds"],
        teacher,
        params.at_once,
        keeper,
    )
    names = {"student": job.wildcards.student, "protocol": job.wildcards.protocol}
    about = provenance(**names, **cell["row"], network=network, recipe=protocol)
    return {**students_record(runs, parts, about), **job.cost(seconds=keeper.spent())}


read = [job.input.pixels, *job.input.teacher]
run_cells(job, params.cells, make, read)
