"""Rule `ceiling`: students trained on all images, by the protocol of the distilled sets.

On the real ones, or on these as the autoencoder gives them back.
"""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.config.grid import ALL  # noqa: E402
from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.runtime.cells import checkpoint_of  # noqa: E402
from lighthouse.runtime.files import read_tensors, write_json  # noqa: E402
from lighthouse.runtime.keeper import keeper_of  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.limits import check_size  # noqa: E402
from lighthouse.students.runs import (  # noqa: E402
    held_to,
    run_students,
    scores_in_words,
    students_record,
)
from lighthouse.students.teacher import load_teacher  # noqa: E402
from lighthouse.students.trainer import Images, read_pixels  # noqa: E402

network, protocol = job.params.network, job.params.protocol
index, parts = ImageIndex.read(job.input.index), read_pixels(job.input.pixels)
labels = torch.from_numpy(index.labels("train"))
check_size(len(labels), "a ceiling", f"leave it out: `run.{job.params.key}: false`")
size = parts["test"].size
if job.input.reconstructed:
    train = Images(read_tensors(job.input.reconstructed[0])["images"], labels).resized(size)
else:
    train = Images(torch.from_numpy(index.images("train", size, job.threads)), labels)
train = train.to(device())
teacher = load_teacher(job.input.teacher[0], device()) if job.input.teacher else None
ipc = int(labels.bincount().max())
recipe = held_to(protocol, ipc)
# The one set there is has no sampling seed: 0 stands for it.
seeds, record = job.params.student_seeds, job.output.record
read = [job.input.index, *job.input.reconstructed, job.input.pixels, *job.input.teacher]
keeper = keeper_of(job, record, job.params.stamp, read)
runs = run_students(train, parts, network, recipe, ipc, 0, seeds, teacher, keeper)
cell = {name: getattr(job.wildcards, name) for name in ("student", "protocol", "dataset")}
names = {"method": job.wildcards.ceiling, "ipc": ALL}
about = provenance(**cell, **names, network=network, recipe=protocol)
facts = {"ipc": ALL, "n_train": len(labels), "largest_class": ipc, "stamp": job.params.stamp}
write_json(record, {**students_record(runs, parts, about), **facts})
checkpoint_of(record).unlink(missing_ok=True)
job.done(f"{len(runs)} students of {len(labels)} images at {scores_in_words(runs)}")
