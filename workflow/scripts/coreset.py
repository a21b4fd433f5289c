"""Rule `coreset`: real images that stand for their class, with their latents."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.coresets import CORESETS  # noqa: E402
from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.diffusion.encoding import Latents  # noqa: E402
from lighthouse.runtime.files import write_tensors  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

index = ImageIndex.read(job.input.index)
latents = Latents(job.input.latents).latents
choose = CORESETS[job.params.coreset]
size, labels = job.params.image_size, index.labels("train")
chosen = {
    f"seed~{seed}": choose(
        labels, index.classes, int(job.wildcards.ipc), seed, job.wildcards.dataset
    )
    for seed in job.params.seeds
}
about = {
    "classes": index.classes,
    **provenance(method=job.wildcards.method, coreset=job.params.coreset, seeds=job.params.seeds),
}
images = {
    key: index.images("train", size, job.threads, rows.ravel()).reshape(*rows.shape, 3, size, size)
    for key, rows in chosen.items()
}
write_tensors(job.output.latents, {key: latents[rows, 0] for key, rows in chosen.items()}, about)
write_tensors(job.output.images, images, about)
job.done(f"{len(chosen)} sets of {chosen[f'seed~{job.params.seeds[0]}'].size} real images")
