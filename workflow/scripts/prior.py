"""Rules `base_prior`, `tuned_prior`: a denoiser trained with an objective."""

from pathlib import Path

from lighthouse.priors.processes import start_processes
from lighthouse.runtime.job import device, is_main, start

job = start(globals().get("snakemake"))
if job.params.training:
    start_processes(job, "prior.py")

from lighthouse.datasets.latents import Latents, of_classes, read_held_out  # noqa: E402
from lighthouse.diffusion.denoiser import load_denoiser, save_denoiser  # noqa: E402
from lighthouse.diffusion.hub import model_at  # noqa: E402
from lighthouse.diffusion.loading import RECORD  # noqa: E402
from lighthouse.priors.difffit import n_parameters  # noqa: E402
from lighthouse.priors.first import first_denoiser  # noqa: E402
from lighthouse.priors.held_out import held_out_loss  # noqa: E402
from lighthouse.priors.objectives import make_objective  # noqa: E402
from lighthouse.priors.training import train_prior  # noqa: E402
from lighthouse.runtime.cells import checkpoint_of  # noqa: E402
from lighthouse.runtime.faults import remove  # noqa: E402
from lighthouse.runtime.files import read_json  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

data = Latents(job.input.latents)
base = getattr(job.input, "base", None)
if base:
    model, origin = load_denoiser(base), {"base": read_json(Path(base) / RECORD, remove(base))}
else:
    origin = {"denoiser": job.params.denoiser}
    pretrained = next(map(model_at, job.input.pretrained), None)
    model = first_denoiser(job.params.denoiser, data, pretrained, job.params.seed)
if job.params.classes is not None:
    origin["tuned_on"] = [data.classes[label] for label in job.params.classes]
total = n_parameters(model)
options = {
    **(job.params.training or {}),
    "objective": job.params.objective,
    **job.params.objective_options,
}
output = Path(job.output.model)
record = {"losses": {}, "trainable_parameters": 0, "processes": 1, "steps": 0, "seconds": 0.0}
record |= {"ended_by": None, "looks": [], "held": {}}
if job.params.training:
    held_out = of_classes(*read_held_out(job.input.latents), job.params.classes)
    model, record = train_prior(
        model,
        *of_classes(data.latents, data.labels, job.params.classes),
        make_objective(job.params.make, job.params.objective_options, data.class_means),
        options,
        job.params.seed,
        checkpoint=checkpoint_of(output),
        checkpoint_seconds=job.params.checkpoint_seconds,
        held_out=held_out,
        launch=job.params.launch,
    )
    if is_main():
        record["losses"]["held_out"] = held_out_loss(model.to(device()), *held_out)
# Of no two runs the same, and so no part of the prior's own record.
seconds = record.pop("seconds")
if is_main():
    about = provenance(**options, seed=job.params.seed, threads=job.threads)
    save_denoiser(model, output, {**record, "parameters": total, **origin, **about})
    job.done(
        f"{job.params.objective} prior, "
        f"{record['trainable_parameters']:,} of {total:,} parameters trained",
        trainable_parameters=record["trainable_parameters"],
        processes=record["processes"],
        steps=record["steps"],
        ended_by=record["ended_by"],
        looks=record["looks"],
        losses=record["losses"],
        held=record["held"],
        seconds=seconds,
        **({"asked": job.params.asked} if base else {}),  # by which its rule sees that it is done
    )
