"""Rule `prior_verdict`: what images of a base prior teach, beside real ones."""

from pathlib import Path

from lighthouse.runtime.job import device, log, start

job = start(globals().get("snakemake"))

from lighthouse.couplings import COUPLINGS  # noqa: E402
from lighthouse.datasets.latents import MEANS  # noqa: E402
from lighthouse.diffusion.autoencoder import decode, load_autoencoder  # noqa: E402
from lighthouse.diffusion.denoiser import load_denoiser  # noqa: E402
from lighthouse.diffusion.sampler import sample, sets_of  # noqa: E402
from lighthouse.metrics.features import load_extractor, set_seen  # noqa: E402
from lighthouse.metrics.real_classes import RealClasses, among_real  # noqa: E402
from lighthouse.priors.verdict import KINDS, REAL, SAMPLED, advice, judged  # noqa: E402
from lighthouse.report.prior_verdict import sentences  # noqa: E402
from lighthouse.runtime.files import (  # noqa: E402
    read_about,
    read_arrays,
    read_json,
    read_tensors,
    write_json,
    write_tensors,
)
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.students.runs import run_sets  # noqa: E402
from lighthouse.students.teacher import load_teacher  # noqa: E402
from lighthouse.students.trainer import choosing_part, read_pixels, read_set  # noqa: E402

full_float32()
params, dataset, seeds = job.params, job.wildcards.dataset, list(job.params.seeds)
files = {
    SAMPLED: job.output.images,
    **{kind: getattr(job.input, kind) for kind in KINDS if kind != SAMPLED},
}
measured = Path(job.input.latents, MEANS)
classes = read_about(measured)["classes"]
means = read_tensors(measured)["class_means"].to(device())
ipc = read_tensors(files[REAL])[f"seed~{seeds[0]}"].shape[1]
sampler = params.sampler | (read_json(params.scale)["weights"] if params.scale else {})

# The prior's images, each alone.
prior = load_denoiser(job.input.prior, device()).requires_grad_(False)
drawn = sets_of(dataset, classes, means, seeds, ipc)
found = sample(prior, drawn, COUPLINGS["iid"](ipc), [], sampler, params.launch)
images = decode(load_autoencoder(job.input.autoencoder, device()), found.latents.flatten(0, 1))
images = images.unflatten(0, (len(seeds), len(classes), ipc))
about = {"classes": classes, **provenance(sampler=sampler, seeds=seeds)}
write_tensors(files[SAMPLED], {f"seed~{s}": images[i] for i, s in enumerate(seeds)}, about)

# What they teach, and where they lie.
parts = read_pixels(job.input.pixels)
part = choosing_part(parts)
teacher = load_teacher(job.input.teacher[0], device()) if job.input.teacher else None


def accuracies(path: str) -> list[float]:
    """Of the last epoch of a student of each set of a file, fractions."""
    runs = run_sets(
        lambda seed: read_set(path, seed, ipc).resized(parts[part].size).to(device()),
        seeds,
        parts,
        params.network,
        params.protocol,
        ipc,
        [0],
        teacher,
        params.at_once,
    )
    return [run["last_val" if part == "val" else "last"] for run in runs]


thresholds = dict(params.thresholds)
told = judged(
    {kind: accuracies(path) for kind, path in files.items()},
    len(classes),
    len(parts[part].labels),
    **thresholds,
)
extractor = load_extractor(Path(job.input.extractor), device())
of_real = read_arrays(job.input.features)
real = RealClasses(of_real["features"], of_real["labels"], params.neighbours)
near = {}
for kind in (SAMPLED, REAL):
    seen = [set_seen(extractor, files[kind], seed, ipc, classes)[0] for seed in seeds]
    sets = [among_real(real, one.reshape(len(classes), ipc, -1)) for one in seen]
    near[kind] = {name: sum(one[name] for one in sets) / len(sets) for name in sets[0]}

training, encoded = (read_json(path) for path in (job.input.prior_cost, job.input.encoder_cost))
errors = encoded["squared_error"]
error_on = "val" if errors["val"] is not None else "train"
record = {
    "dataset": dataset,
    **told,
    **thresholds,
    "advice": advice(told["verdict"], told["limit"], dataset, params.options, training["ended_by"]),
    "ipc": ipc,
    "sets": len(seeds),
    "judged_on": part,
    "n_judged": len(parts[part].labels),
    **near[SAMPLED],
    "coverage_real": near[REAL]["coverage"],
    "squared_error": errors[error_on],
    "squared_error_on": error_on,
    "autoencoder_seconds": encoded["seconds"],
    "training": {
        **{key: training[key] for key in ("steps", "ended_by", "seconds")},
        "held_out_loss": training["losses"].get("held_out"),
    },
    **provenance(**params.names, sampler=sampler, seeds=seeds),
}
write_json(job.output.record, record)
for line in sentences(record):
    log.info("%s", line)
job.done(f"base prior judged by {len(seeds)} sets")
