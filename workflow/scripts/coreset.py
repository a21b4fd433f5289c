"""Rule `coreset`: real images that stand for their class, with their latents."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import numpy as np  # noqa: E402

from lighthouse.coresets import Pool  # noqa: E402
from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.diffusion.encoding import Latents  # noqa: E402
from lighthouse.runtime import rng  # noqa: E402, F401  torch loads before the clock runs
from lighthouse.runtime.files import read_arrays, write_tensors  # noqa: E402
from lighthouse.runtime.named import load  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

job.work_begins()
index = ImageIndex.read(job.input.index)
seeds, size = list(job.params.seeds), job.params.image_size
# The rule names no file where the coreset needs none.
measured = read_arrays(*job.input.features) if job.input.features else {}
pool = Pool(
    job.wildcards.dataset,
    index.classes,
    index.labels("train"),
    measured.get("features"),
    measured.get("rows"),
)
chosen = load(job.params.choose)(pool, int(job.wildcards.ipc), seeds)
about = {
    "classes": index.classes,
    **provenance(method=job.wildcards.method, coreset=job.params.coreset, seeds=seeds),
}
# Each image is read once, in however many sets it is.
rows, places = np.unique(chosen, return_inverse=True)
places = places.reshape(chosen.shape)
latents = Latents(job.input.latents).latents[rows, 0]
images = index.images("train", size, job.threads, rows)
for path, values in ((job.output.latents, latents), (job.output.images, images)):
    sets = {f"seed~{s}": values[mine] for s, mine in zip(seeds, places, strict=True)}
    write_tensors(path, sets, about)
# What is the same under each seed was chosen once.
different = len({one.tobytes() for one in chosen})
job.done(f"{len(seeds)} sets of {chosen[0].size} real images", images=different * chosen[0].size)
