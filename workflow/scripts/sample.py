"""Rules `sample` and `shard`: one distilled set for each seed and cell, as latents and images."""

from dataclasses import asdict
from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.coresets import start_latents  # noqa: E402
from lighthouse.couplings import COUPLINGS  # noqa: E402
from lighthouse.datasets.latents import Latents  # noqa: E402
from lighthouse.diffusion.autoencoder import (  # noqa: E402
    decode,
    decoder_of,
    load_autoencoder,
)
from lighthouse.diffusion.denoiser import load_denoiser  # noqa: E402
from lighthouse.diffusion.loading import RECORD  # noqa: E402
from lighthouse.diffusion.sampler import sample, sets_of, settle  # noqa: E402
from lighthouse.guidance import (  # noqa: E402
    Context,
    alone_of,
    applied_weight,
    guides_of,
    with_weights,
)
from lighthouse.runtime.cells import content_digest, made_from, run_cells  # noqa: E402
from lighthouse.runtime.files import (  # noqa: E402
    read_about,
    read_json,
    read_tensors,
    write_tensors,
)
from lighthouse.runtime.named import load  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

full_float32()
params, dataset, seeds = job.params, job.wildcards.dataset, list(job.params.seeds)
folder = Path(job.input.latents)
measured = folder / "means.safetensors"
classes = read_about(measured)["classes"]
means = read_tensors(measured)["class_means"].to(device())
chosen = list(range(len(classes)) if params.classes is None else params.classes)
# The rule names no prior where latents are optimised without one.
folders = [Path(path) for path in job.input.prior]
model = load_denoiser(folders[0], device()).requires_grad_(False) if folders else None
prior = read_json(folders[0] / RECORD) if folders else None
autoencoder = load_autoencoder(job.input.autoencoder, device()).requires_grad_(False)


def starts_of(cell: dict) -> torch.Tensor | None:
    """The latents that a cell's sets start at; None where they start at noise."""
    if cell["start"] is None:
        return None
    names = dataset, cell["ipc"], seeds, chosen
    return torch.from_numpy(start_latents(Latents(folder), load(cell["start"]), *names))


def make(cell: dict) -> dict:
    """Sample, decode and write one cell."""
    ipc = cell["ipc"]
    context = Context(
        dataset=dataset,
        classes=classes,
        ipc=ipc,
        latent_dim=means[0].numel(),
        latents=folder,
        surrogate=next(map(Path, job.input.surrogate), None),
        decode=decoder_of(autoencoder),
        device=device(),
    )
    terms = cell["terms"]
    if "tuning" in cell:
        terms = with_weights(terms, read_json(cell["tuning"])["weights"])
    guided_by = (guides_of if model else alone_of)(terms, context)
    job.work_begins()
    sets = sets_of(dataset, classes, means, seeds, ipc, chosen, starts_of(cell))
    if model:
        coupling = COUPLINGS[cell["coupling"]](ipc)
        latents, work = sample(model, sets, coupling, guided_by, cell["sampler"])
    else:
        latents, work = settle(sets, guided_by)
    images = decode(autoencoder, latents.flatten(0, 1))
    latents = latents.unflatten(0, (len(seeds), len(chosen)))
    images = images.unflatten(0, (len(seeds), len(chosen), ipc))
    weighed = terms if model else []
    about = {
        "stamp": cell["stamp"],
        "classes": [classes[label] for label in chosen],
        "prior": prior,
        **provenance(
            method=cell["method"],
            coupling=cell["coupling"],
            terms={term["name"]: term["options"] for term in terms},
            latent_dim=context.latent_dim,
            start=cell["start"],
            weights={term["column"]: term["weight"] for term in weighed},
            applied_weights={
                term["column"]: applied_weight(term, context.latent_dim) for term in weighed
            },
            sampler=cell["sampler"],
            tf32=False,
            seeds=seeds,
        ),
    }
    for path, tensors in ((cell["latents"], latents), (cell["images"], images)):
        write_tensors(path, {f"seed~{s}": tensors[i] for i, s in enumerate(seeds)}, about)
    return job.cost(
        images=len(seeds) * len(chosen) * ipc, denoiser=asdict(work), options=about["options"]
    )


read = [*folders, job.input.autoencoder, measured]
surrogate = content_digest(job.input.surrogate)
cells = [
    {**cell, "code": made_from(cell["code"], surrogate)} if cell["guided_by_surrogate"] else cell
    for cell in params.cells
]
run_cells(job, cells, make, read)
