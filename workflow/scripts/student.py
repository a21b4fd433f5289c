"""Rule `student`: students trained from scratch on one cell's sets, several for each seed."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.runtime.files import write_json  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.runs import run_students, scores_in_words, students_record  # noqa: E402
from lighthouse.students.teacher import load_teacher  # noqa: E402
from lighthouse.students.trainer import read_pixels, read_set  # noqa: E402

network, protocol, ipc = job.params.network, job.params.protocol, int(job.wildcards.ipc)
parts = read_pixels(job.input.pixels)
size = parts["test"].size
teacher = load_teacher(job.input.teacher[0], device()) if job.input.teacher else None
runs = []
for seed in job.params.seeds:
    train = read_set(job.input.images, seed, ipc).resized(size).to(device())
    students = job.params.student_seeds
    runs += run_students(train, parts, network, protocol, ipc, seed, students, teacher)
names = ("student", "protocol", "dataset", "method", "ipc", "lam", "eta_dpp", "mu_dm")
cell = {name: getattr(job.wildcards, name) for name in names}
about = provenance(**cell, network=network, recipe=protocol)
write_json(job.output.record, students_record(runs, parts, about))
job.done(f"{len(runs)} students at {scores_in_words(runs)}")
