"""Rules `sample` and `shard`: one distilled set for each seed, as latents and as images."""

from dataclasses import asdict
from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.couplings import COUPLINGS  # noqa: E402
from lighthouse.diffusion.autoencoder import (  # noqa: E402
    RECORD,
    decode,
    decoder_of,
    load_autoencoder,
)
from lighthouse.diffusion.denoiser import load_denoiser  # noqa: E402
from lighthouse.diffusion.sampler import sample, sets_of  # noqa: E402
from lighthouse.guidance import Context, applied_weight, guides_of  # noqa: E402
from lighthouse.runtime.files import (  # noqa: E402
    read_about,
    read_json,
    read_tensors,
    write_tensors,
)
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

full_float32()
ipc, seeds, folder = int(job.wildcards.ipc), list(job.params.seeds), Path(job.input.latents)
classes = read_about(folder / "means.safetensors")["classes"]
means = read_tensors(folder / "means.safetensors")["class_means"].to(device())
chosen = list(range(len(classes)) if job.params.classes is None else job.params.classes)
model = load_denoiser(job.input.prior, device()).requires_grad_(False)
autoencoder = load_autoencoder(job.input.autoencoder, device()).requires_grad_(False)
context = Context(
    dataset=job.wildcards.dataset,
    classes=classes,
    ipc=ipc,
    latent_dim=means[0].numel(),
    latents=folder,
    surrogate=next(map(Path, job.input.surrogate), None),
    decode=decoder_of(autoencoder),
    device=device(),
)
guides = guides_of(job.params.terms, context)
job.work_begins()
latents, work = sample(
    model,
    sets_of(job.wildcards.dataset, classes, means, seeds, ipc, chosen),
    COUPLINGS[job.params.coupling](ipc),
    guides,
    job.params.sampler,
)
images = decode(autoencoder, latents.flatten(0, 1))
latents = latents.unflatten(0, (len(seeds), len(chosen)))
images = images.unflatten(0, (len(seeds), len(chosen), ipc))
about = {
    "classes": [classes[label] for label in chosen],
    "prior": read_json(Path(job.input.prior) / RECORD),
    **provenance(
        method=job.wildcards.method,
        coupling=job.params.coupling,
        terms={term["name"]: term["options"] for term in job.params.terms},
        latent_dim=context.latent_dim,
        weights={term["column"]: term["weight"] for term in job.params.terms},
        applied_weights={
            term["column"]: applied_weight(term, context.latent_dim) for term in job.params.terms
        },
        sampler=job.params.sampler,
        tf32=False,
        seeds=seeds,
    ),
}
for path, tensors in ((job.output.latents, latents), (job.output.images, images)):
    write_tensors(path, {f"seed~{s}": tensors[i] for i, s in enumerate(seeds)}, about)
job.done(
    f"{len(seeds)} sets of {len(chosen)} classes × {ipc} images",
    images=len(seeds) * len(chosen) * ipc,
    denoiser=asdict(work),
)
