"""Rules `sample` and `shard`: one distilled set for each seed and cell, as latents and images.

Of a cell with a selection it is one of a pool; a shard writes the pool, and rule `gather` chooses.
"""

import time
from collections.abc import Mapping, Sequence
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
from lighthouse.diffusion.guided import Work  # noqa: E402
from lighthouse.diffusion.loading import RECORD, bytes_of  # noqa: E402
from lighthouse.diffusion.sampler import (  # noqa: E402
    Sampled,
    sample,
    sets_of,
    settle,
    together,
)
from lighthouse.guidance import (  # noqa: E402
    Context,
    alone_of,
    applied_weight,
    guides_of,
    with_weights,
)
from lighthouse.runtime.cells import (  # noqa: E402
    checkpoint_of,
    content_digest,
    made_from,
    run_cells,
)
from lighthouse.runtime.faults import remove  # noqa: E402
from lighthouse.runtime.files import (  # noqa: E402
    read_about,
    read_json,
    read_tensors,
    write_tensors,
)
from lighthouse.runtime.keeper import Keeper  # noqa: E402
from lighthouse.runtime.launching import at_work  # noqa: E402
from lighthouse.runtime.named import load  # noqa: E402
from lighthouse.runtime.precision import full_float32  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402
from lighthouse.runtime.tally import Tally  # noqa: E402
from lighthouse.selection.pool import kept, seen, taken  # noqa: E402

full_float32()
params, dataset = job.params, job.wildcards.dataset
replicates = {int(seed): own for seed, own in params.replicates.items()}  # texts in a file
seeds = [seed for own in replicates.values() for seed in own]
folder = Path(job.input.latents)
measured = folder / "means.safetensors"
classes = read_about(measured)["classes"]
means = read_tensors(measured)["class_means"].to(device())
chosen = list(range(len(classes)) if params.classes is None else params.classes)
# A replicate has one for each phase, of some classes each; the rule names no prior where latents
# are optimised without one.
folders = list(map(Path, job.input.priors))
phases = [[label for label in labels if label in chosen] for labels in params.phases]
priors = {
    seed: folders[first : first + len(phases)]
    for seed, first in zip(replicates, range(0, len(folders), len(phases)), strict=False)
}
surrogates = dict(zip(replicates, map(Path, job.input.surrogates), strict=False))
records = {
    str(seed): [read_json(path / RECORD, remove(path)) for path in own]
    for seed, own in priors.items()
}
if len(phases) == 1:
    records = {seed: record for seed, (record,) in records.items()}
autoencoder = load_autoencoder(job.input.autoencoder, device()).requires_grad_(False)
held: dict[Path, object] = {}
#: Bytes of denoisers that are held beside each other.
HELD = 2**28
#: What selections look with, by what they see in images; none where no cell selects.
networks = {"features": job.input.extractor, "logits": job.input.classifier}
looks: dict[str, object] = {}


# All that any cell will load: a record names the libraries that are loaded, and is to be the same
# where a job goes on behind the cells that need one.
for name in sorted({name for cell in params.cells for name in cell["loads"]}):
    load(name)


def denoiser(path: Path) -> object:
    """The denoiser of a folder: small ones are held for the next cell, of large ones one."""
    if path not in held:
        if sum(map(bytes_of, [*held, path])) > HELD:
            held.clear()
        held[path] = load_denoiser(path, device()).requires_grad_(False)
    return held[path]


def starts_of(cell: dict, own: Sequence[int], labels: Sequence[int]) -> torch.Tensor | None:
    """The latents that sets of some seeds and classes start at; None where they start at noise."""
    if cell["start"] is None:
        return None
    names = dataset, cell["ipc"], own, labels
    return torch.from_numpy(start_latents(Latents(folder), load(cell["start"]), *names))


def sampled(
    cell: dict, terms: Sequence[Mapping], replicate: int, tally: Tally
) -> tuple[Sampled, float]:
    """One replicate's sets of a cell, or pools, one behind the other, and their seconds."""
    ipc, own = cell["ipc"], replicates[replicate]
    context = Context(
        dataset=dataset,
        classes=classes,
        ipc=ipc,
        latent_dim=means[0].numel(),
        latents=folder,
        surrogate=surrogates.get(replicate),
        decode=decoder_of(autoencoder),
        device=device(),
        tally=tally,
    )
    guided_by, parts, seconds = (guides_of if priors else alone_of)(terms, context), [], 0.0
    groups = cell["selection"]["times"] if cell["selection"] else 1
    for number, labels in enumerate(phases):
        if not labels:  # another shard's
            continue
        model = denoiser(priors[replicate][number]) if priors else None
        began = time.monotonic()
        starts = starts_of(cell, own, labels)
        sets = sets_of(dataset, classes, means, own, ipc, labels, starts, groups)
        if priors:
            coupling, launch = COUPLINGS[cell["coupling"]](ipc), cell["launch"]
            found = sample(model, sets, coupling, guided_by, cell["sampler"], launch)
        else:
            found = settle(sets, guided_by)
        pools = found.latents.unflatten(0, (-1, groups)).flatten(1, 2)
        parts.append(Sampled(pools, found.work))
        seconds += time.monotonic() - began
    return together(parts, len(own)), seconds


def look(cell: dict, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """What a cell's selection chooses by, (S, C, M, d) each, of images (S, C, M, 3, H, W)."""
    found = {}
    for name, loader in cell["selection"]["looks"].items():
        if name not in looks:
            looks[name] = load(loader)(*networks[name], device())
        found[name] = torch.from_numpy(seen(looks[name], images))
    return found


def select(cell: dict, sets: dict) -> dict:
    """Of the pools of one replicate what is kept, and the positions of it, seed by seed."""
    seen_in = {name: every.numpy() for name, every in sets.pop("seen").items()}
    positions = kept(cell, dataset, classes, seen_in, job.input.features)
    for kind in ("latents", "images"):
        pairs = zip(sets[kind], positions, strict=True)
        sets[kind] = torch.stack([taken(pool, own) for pool, own in pairs])
    return {**sets, "kept": [own.tolist() for own in positions]}


def make(cell: dict) -> dict:
    """Sample, decode and write one cell, replicate by replicate."""
    ipc, terms = cell["ipc"], cell["terms"]
    if "tuning" in cell:
        terms = with_weights(terms, read_json(cell["tuning"])["weights"])
    if "scale" in cell:
        cell = {**cell, "sampler": cell["sampler"] | read_json(cell["scale"])["weights"]}
    key = made_from(cell["made"], str([chosen, replicates]))
    keeper = Keeper(checkpoint_of(cell["record"]), key, params.checkpoint_seconds)
    tally = Tally(keeper.done[-1]["held"] if keeper.done else None)
    for replicate, own in [*replicates.items()][len(keeper.done) :]:
        found, seconds = sampled(cell, terms, replicate, tally)
        began = time.monotonic()
        decoded = decode(autoencoder, found.latents.flatten(0, 1), tally=tally)
        sets = {
            "latents": found.latents.unflatten(0, (len(own), len(chosen))).cpu(),
            "images": decoded.unflatten(0, (len(own), len(chosen), -1)).cpu(),
        }
        if cell["selection"]:
            sets["seen"] = look(cell, sets["images"])
            if "seen" not in cell:  # of a shard it is gathered first
                sets = select(cell, sets)
        seconds += time.monotonic() - began
        # By images that are kept: what others took is theirs.
        images = len(own) * len(chosen) * ipc
        facts = {"images": images, "seconds": seconds, "denoiser": asdict(found.work)}
        sets["spent"] = {"replicate": replicate, **facts}
        sets["held"] = tally.counts()  # of all replicates so far
        keeper.finish([sets])
    spent = [sets["spent"] for sets in keeper.done]
    weighed, latent_dim = terms if priors else [], means[0].numel()
    about = {
        "stamp": cell["stamp"],
        "classes": [classes[label] for label in chosen],
        "priors": records,
        **provenance(
            method=cell["method"],
            coupling=cell["coupling"],
            terms={term["name"]: term["options"] for term in terms},
            latent_dim=latent_dim,
            start=cell["start"],
            weights={term["column"]: term["weight"] for term in weighed},
            applied_weights={term["column"]: applied_weight(term, latent_dim) for term in weighed},
            sampler=cell["sampler"],
            tf32=False,
            seeds=seeds,
        ),
    }
    for kind in ("latents", "images"):
        tensors = torch.cat([sets[kind] for sets in keeper.done])
        write_tensors(cell[kind], {f"seed~{s}": tensors[i] for i, s in enumerate(seeds)}, about)
    if "seen" in cell:
        found = {
            name: torch.cat([sets["seen"][name] for sets in keeper.done])
            for name in cell["selection"]["looks"]
        }
        tensors = {f"{n}/seed~{s}": t[i] for n, t in found.items() for i, s in enumerate(seeds)}
        write_tensors(cell["seen"], tensors, about)
    tally.tell(f"{cell['method']}, IPC {ipc}")
    positions = [own for sets in keeper.done for own in sets.get("kept", [])]
    named = {f"seed~{s}": own for s, own in zip(seeds, positions, strict=False)}
    return job.cost(
        **({"kept": named} if named else {}),  # of a shard rule `gather` says it
        images=sum(part["images"] for part in spent),
        seconds=sum(part["seconds"] for part in spent),
        denoiser=asdict(sum((Work(**part["denoiser"]) for part in spent), Work())),
        replicates=spent,
        held=tally.counts(),
        options=about["options"],
        launch=at_work(cell["launch"], device()) if priors else None,
    )


read = [*dict.fromkeys(folders), job.input.autoencoder, measured]
surrogate = content_digest(surrogates.values())
looked = {
    "features": content_digest([*job.input.extractor, *job.input.features]),
    "logits": content_digest(job.input.classifier),
}


def code_of(cell: dict) -> str:
    """A digest of a cell's own code, and of what it alone of the job's cells reads."""
    own = [surrogate] if cell["guided_by_surrogate"] else []
    own += [looked[name] for name in cell["selection"]["looks"]] if cell["selection"] else []
    return made_from(cell["code"], *own) if own else cell["code"]


run_cells(job, [{**cell, "code": code_of(cell)} for cell in params.cells], make, read)
