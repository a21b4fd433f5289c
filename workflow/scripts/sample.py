"""Rules `sample` and `shard`: one distilled set for each seed, as latents and as images."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.couplings import COUPLINGS  # noqa: E402
from lighthouse.diffusion.autoencoder import RECORD, decode, load_autoencoder  # noqa: E402
from lighthouse.diffusion.denoiser import load_denoiser  # noqa: E402
from lighthouse.diffusion.sampler import sample, sets_of  # noqa: E402
from lighthouse.guidance import weighted_terms  # noqa: E402
from lighthouse.runtime.files import (  # noqa: E402
    read_about,
    read_json,
    read_tensors,
    write_tensors,
)
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

full_float32()
ipc, seeds = int(job.wildcards.ipc), list(job.params.seeds)
weights = {name: float(getattr(job.wildcards, name)) for name in ("eta_dpp", "mu_dm")}
means_file = Path(job.input.latents) / "means.safetensors"
classes = read_about(means_file)["classes"]
means = read_tensors(means_file)["class_means"].to(device())
chosen = list(range(len(classes)) if job.params.classes is None else job.params.classes)
terms = weighted_terms(job.params.terms, weights, job.params.guidance, means[0].numel())
latents = sample(
    load_denoiser(job.input.prior, device()),
    sets_of(job.wildcards.dataset, classes, means, seeds, ipc, chosen),
    COUPLINGS[job.params.coupling](ipc),
    terms,
    job.params.sampler,
    guided=tuple(job.params.guidance["steps"]),
).flatten(0, 1)
images = decode(load_autoencoder(job.input.autoencoder, device()), latents)
latents, images = (x.unflatten(0, (len(seeds), len(chosen), ipc)) for x in (latents, images))
about = {
    "classes": [classes[label] for label in chosen],
    "prior": read_json(Path(job.input.prior) / RECORD),
    **provenance(
        method=job.wildcards.method,
        coupling=job.params.coupling,
        terms=list(job.params.terms),
        latent_dim=means[0].numel(),
        applied_weights=[weight for weight, _ in terms],
        **weights,
        **job.params.guidance,
        sampler=job.params.sampler,
        tf32=False,
        seeds=seeds,
    ),
}
for path, tensors in ((job.output.latents, latents), (job.output.images, images)):
    write_tensors(path, {f"seed~{s}": tensors[i] for i, s in enumerate(seeds)}, about)
job.done(f"{len(seeds)} sets of {len(chosen)} classes × {ipc} images")
