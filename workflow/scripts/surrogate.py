"""Rule `surrogate`: the network by whose gradients influence guidance goes, at its kept epochs."""

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.datasets.real import RealImages  # noqa: E402
from lighthouse.runtime.cells import checkpoint_of  # noqa: E402
from lighthouse.runtime.keeper import keeper_of  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.limits import check_size  # noqa: E402
from lighthouse.students.surrogate import train_surrogate, write_surrogate  # noqa: E402
from lighthouse.students.trainer import Images  # noqa: E402

options, dataset, size = job.params.surrogate, job.wildcards.dataset, job.params.image_size
network, seed, output = job.params.network, job.params.seed, job.output.surrogate
index = ImageIndex.read(job.input.index)
labels = index.labels("train")
check_size(
    len(labels), "a surrogate", f"leave methods with influence guidance out of a run of {dataset}"
)
chosen = RealImages(index, dataset, size, options["images_per_class"], job.threads).rows("train")
images = torch.from_numpy(index.images("train", size, job.threads))
train = Images(images, torch.from_numpy(labels)).to(device())
job.work_begins()
keeper = keeper_of(job, output, [options, network, size, seed], [job.input.index])
kept, record = train_surrogate(train, chosen, network, options, seed, keeper)
about = {
    **record,
    **provenance(dataset=dataset, surrogate=options, seed=seed, n_images=len(labels)),
}
write_surrogate(output, kept, index.classes, about)
checkpoint_of(output).unlink(missing_ok=True)
job.done(f"surrogate at {len(kept)} epochs", images=len(labels), seconds=keeper.spent())
