"""Rules `teacher` and `classifier`: a network that answers for one dataset's classes."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.runtime.cells import checkpoint_of  # noqa: E402
from lighthouse.runtime.files import read_about  # noqa: E402
from lighthouse.runtime.keeper import keeper_of  # noqa: E402
from lighthouse.students.limits import check_size  # noqa: E402
from lighthouse.students.teacher import (  # noqa: E402
    pretrained_teacher,
    train_teacher,
    write_teacher,
)
from lighthouse.students.trainer import Images, accuracy, choosing_part, read_pixels  # noqa: E402

# A teacher is a protocol's, a dataset's classifier that of all methods.
names = {"dataset": job.wildcards.dataset}
if hasattr(job.wildcards, "protocol"):
    names["protocol"] = job.wildcards.protocol
role, owner = ("teacher", "protocol") if "protocol" in names else ("classifier", "dataset")
network, protocol, hard = job.params.network, job.params.protocol, job.params.hard
classes = read_about(job.input.pixels)["classes"]
parts = read_pixels(job.input.pixels)
part = choosing_part(parts)
seen = parts[part]
job.work_begins()
if protocol["teacher"]["weights"] is None:
    index = ImageIndex.read(job.input.index)
    labels = torch.from_numpy(index.labels("train"))
    check_size(
        len(labels),
        f"a {role}",
        f"give one: the {owner}'s {role}.weights, `torchvision` or a file",
    )
    train = Images(torch.from_numpy(index.images("train", seen.size)), labels).to(device())
    read = [job.input.index, job.input.pixels]
    keeper = keeper_of(job, job.output.weights, [network, protocol, hard], read)
    teacher, score = train_teacher(train, seen, network, protocol, hard, keeper)
    facts = {"seconds": keeper.spent()}
else:
    of_imagenet = protocol["teacher"]["weights"] == "torchvision"
    teacher = pretrained_teacher(network, *job.input.weights, classes, seen.size, of_imagenet)
    teacher = teacher.to(device())
    score = accuracy(teacher, seen, protocol["mean"], protocol["std"])
    facts = {}
write_teacher(
    job.output.weights,
    teacher,
    network,
    seen.size,
    len(classes),
    **names,
    recipe=protocol,
    hard=hard,
    accuracy={part: score},
)
checkpoint_of(job.output.weights).unlink(missing_ok=True)
job.done(f"{role}, {100 * score:.1f} % right on {part}", **facts)
