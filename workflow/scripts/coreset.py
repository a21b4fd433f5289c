"""Rule `coreset`: real images that stand for their class, with their latents."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.coresets import CORESETS  # noqa: E402
from lighthouse.datasets import ImageIndex  # noqa: E402
from lighthouse.runtime.files import read_arrays, write_tensors  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

index = ImageIndex.read(job.input.index)
real = index.images("train", job.params.image_size)
latents = read_arrays(job.input.latents)["latents"]
choose = CORESETS[job.params.coreset]
chosen = {
    f"seed~{seed}": choose(
        index.labels("train"), index.classes, int(job.wildcards.ipc), seed, job.wildcards.dataset
    )
    for seed in job.params.seeds
}
about = {
    "classes": index.classes,
    **provenance(method=job.wildcards.method, coreset=job.params.coreset, seeds=job.params.seeds),
}
write_tensors(job.output.latents, {k: latents[rows] for k, rows in chosen.items()}, about)
write_tensors(job.output.images, {k: real[rows] for k, rows in chosen.items()}, about)
job.done(f"{len(chosen)} sets of {chosen[f'seed~{job.params.seeds[0]}'].size} real images")
