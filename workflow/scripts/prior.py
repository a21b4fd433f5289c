"""Rules `base_prior` and `tuned_prior`: a denoiser trained on latents with an objective."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

import torch  # noqa: E402

from lighthouse.diffusion.autoencoder import save  # noqa: E402
from lighthouse.diffusion.denoiser import load_denoiser, new_denoiser  # noqa: E402
from lighthouse.priors.objectives import make_objective  # noqa: E402
from lighthouse.priors.training import train_prior  # noqa: E402
from lighthouse.runtime.files import read_tensors  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

SEED = 0
latents = read_tensors(job.input.latents)
base = getattr(job.input, "base", None)
if base:
    model = load_denoiser(base, device())
else:
    torch.manual_seed(SEED)  # diffusers draws the initial weights from the global generator
    channels, side = latents["latents"].shape[1:3]
    model = new_denoiser(job.params.denoiser, channels, side, len(latents["class_means"]))
    model = model.to(device())
options = {
    **job.params.training,
    "objective": job.params.objective,
    **job.params.objective_options,
}
output = Path(job.output.model)
model, losses = train_prior(
    model,
    latents["latents"].to(device()),
    latents["labels"].to(device()),
    make_objective(job.params.objective, job.params.objective_options),
    options,
    SEED,
    checkpoint=output.with_name(f"{output.name}.checkpoint"),
    checkpoint_seconds=job.params.checkpoint_seconds,
)
trainable = sum(p.numel() for p in model.parameters())
about = {
    "losses": losses,
    "trainable_parameters": trainable,
    **provenance(**options, seed=SEED, threads=job.threads),
}
save(model, output, about)
job.done(f"{job.params.objective} prior, {trainable:,} parameters trained")
