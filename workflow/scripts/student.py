"""Rule `student`: students trained from scratch on one cell's sets, one for each seed."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.runtime.files import read_tensors, write_json  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.trainer import Images, score_student, train_student  # noqa: E402

index, ipc = ImageIndex.read(job.input.index), int(job.wildcards.ipc)


def real(part: str) -> Images:
    images = index.images(part, job.params.image_size)
    return Images(torch.from_numpy(images), torch.from_numpy(index.labels(part))).to(device())


val, test = real("val"), real("test")
runs = {}
for seed in job.params.seeds:
    images = read_tensors(job.input.images)[f"seed~{seed}"][:, :ipc]
    labels = torch.arange(len(images)).repeat_interleave(ipc)
    train = Images(images.flatten(0, 1), labels).to(device())
    network, record = train_student(train, val, job.params.network, job.params.protocol, ipc, seed)
    runs[f"seed~{seed}"] = score_student(network, record, test)
about = provenance(
    **dict(job.wildcards.items()), network=job.params.network, recipe=job.params.protocol
)
write_json(job.output.record, {"runs": runs, "n_test": len(test.labels), **about})
scores = ", ".join(f"{100 * run['last']:.1f}" for run in runs.values())
job.done(f"{len(runs)} students at {scores} %")
