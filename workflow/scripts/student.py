"""Rule `student`: students trained from scratch on one cell's sets, one for each seed."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.runtime.files import write_json  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.teacher import load_teacher  # noqa: E402
from lighthouse.students.trainer import (  # noqa: E402
    choosing_part,
    read_pixels,
    read_set,
    score_student,
    train_student,
)

network, protocol, ipc = job.params.network, job.params.protocol, int(job.wildcards.ipc)
parts = read_pixels(job.input.pixels)
chosen_on, test = choosing_part(parts), parts["test"]
teacher = load_teacher(job.input.teacher[0], device()) if job.input.teacher else None
runs = {}
for seed in job.params.seeds:
    train = read_set(job.input.images, seed, ipc).resized(test.size).to(device())
    student, record = train_student(train, parts[chosen_on], network, protocol, ipc, seed, teacher)
    runs[f"seed~{seed}"] = score_student(student, record, test, protocol)
names = ("student", "protocol", "dataset", "method", "ipc", "eta_dpp", "mu_dm")
cell = {name: getattr(job.wildcards, name) for name in names}
about = provenance(**cell, network=network, recipe=protocol)
write_json(
    job.output.record,
    {"runs": runs, "best_chosen_on": chosen_on, "n_test": len(test.labels), **about},
)
scores = ", ".join(f"{100 * run['last']:.1f}" for run in runs.values())
job.done(f"{len(runs)} students at {scores} %")
