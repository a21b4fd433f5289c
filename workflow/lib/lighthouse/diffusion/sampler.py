"""Collaborative guided sampling (M Alg. 1): one sampler for every coupling and term."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from lighthouse.couplings import Stage
from lighthouse.diffusion.denoiser import has_learned_variance, null_label, predict
from lighthouse.diffusion.library import DDPMScheduler
from lighthouse.guidance import Guide, State
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.job import progress
from lighthouse.runtime.memory import capacity, largest_that_fits
from lighthouse.runtime.precision import autocast
from lighthouse.runtime.rng import image_generators

#: DiT's schedule: linear betas, 1000 steps.
SCHEDULE = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 2e-2}

#: Sets that are sampled side by side come to at most so many micro-batches, or are one:
#: filling up the last micro-batch of each set alone would waste up to half of the work.
SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Semantics:
    """What a sampler makes of the denoiser's output.

    variance_type: of a step, in diffusers' words; ``learned_range`` takes it from the
    denoiser.
    guided_channels: how many of the noise's channels, from the first, classifier-free
    guidance acts on; None is all. The others, and the variance, are the conditional
    prediction's.
    """

    variance_type: str
    guided_channels: int | None

    @property
    def learns_variance(self) -> bool:
        """Whether the denoiser has to predict the variance."""
        return self.variance_type == "learned_range"


#: The two samplers of a DiT that are in use: the reference's (facebookresearch/DiT), with
#: which the peers' figures were made, and that of diffusers' DiTPipeline.
SEMANTICS = {
    "dit": Semantics("learned_range", guided_channels=3),
    "diffusers": Semantics("fixed_small", guided_channels=None),
}


class NonFiniteError(FloatingPointError):
    """A latent is NaN or infinite."""


def noise_schedule(steps: int, variance_type: str = "fixed_small") -> DDPMScheduler:
    """Ancestral DDPM respaced to ``steps`` as DiT does (linspace over 0…999)."""
    scheduler = DDPMScheduler(
        **SCHEDULE, clip_sample=False, timestep_spacing="linspace", variance_type=variance_type
    )
    scheduler.set_timesteps(steps)
    return scheduler


@dataclass(frozen=True)
class Sets:
    """The sets to sample: B sets (a class under a seed) of N images.

    dataset: its name. labels: class of each set, (B,) int64. seeds: of each set. names: of
    each set, for messages. class_means: m_c of each set, (B, D).
    generators: B lists of N CPU generators, one an image.
    shape: of a latent, (c, h, w).
    """

    dataset: str
    labels: Tensor
    seeds: Sequence[int]
    names: Sequence[str]
    class_means: Tensor
    generators: Sequence[Sequence[torch.Generator]]
    shape: tuple[int, int, int]

    @property
    def ipc(self) -> int:
        """N."""
        return len(self.generators[0])

    def part(self, rows: slice) -> "Sets":
        """Some of the sets."""
        return Sets(
            self.dataset,
            self.labels[rows],
            self.seeds[rows],
            self.names[rows],
            self.class_means[rows],
            self.generators[rows],
            self.shape,
        )


def sets_of(
    dataset: str,
    classes: Sequence[str],
    class_means: Tensor,
    seeds: Sequence[int],
    ipc: int,
    chosen: Sequence[int] | None = None,
) -> Sets:
    """Sets for every seed and class, seed by seed. class_means: (C, c, h, w).

    ``chosen``: labels of the classes to sample; None is all.
    """
    chosen = range(len(classes)) if chosen is None else chosen
    pairs = [(seed, label) for seed in seeds for label in chosen]
    labels = torch.tensor([label for _, label in pairs], device=class_means.device)
    return Sets(
        dataset=dataset,
        labels=labels,
        seeds=[seed for seed, _ in pairs],
        names=[f"class {classes[label]!r}, seed {seed}" for seed, label in pairs],
        class_means=class_means.flatten(1)[labels],
        generators=[
            image_generators(seed, dataset, classes[label], range(ipc)) for seed, label in pairs
        ],
        shape=tuple(class_means.shape[1:]),
    )


@torch.no_grad()
def sample(
    model: object,
    sets: Sets,
    coupling: Sequence[Stage],
    guides: Sequence[Guide],
    options: Mapping,
) -> Tensor:
    """Sample clean latents, (B, N, c, h, w) on the CPU, in the order of ``sets``.

    ``options``: ``semantics``, ``steps``, ``guidance_scale`` (1 is none),
    ``micro_batch`` (latents in one call of the denoiser), ``precision`` (of the
    denoiser; all else is float32). The device of ``sets`` holds one set at a time, or
    as many small ones as come to ``SIDE_BY_SIDE`` micro-batches. Raises ``DataError``
    where the semantics ask what the model has not, ``NonFiniteError`` with the step and
    the image, ``MemoryError`` with the micro-batch that fits.
    """
    semantics = SEMANTICS[options["semantics"]]
    if semantics.learns_variance and not has_learned_variance(model):
        raise DataError(
            f"sampler.semantics {options['semantics']!r} takes the variance of a step from the "
            f"denoiser, and that of {sets.dataset} predicts noise alone: set semantics to "
            "'diffusers', or use a denoiser with learned variance"
        )
    scheduler = noise_schedule(options["steps"], semantics.variance_type)
    result = torch.empty(len(sets.labels), sets.ipc, *sets.shape)
    work = [(stage, rows) for stage in coupling for rows in _chunks(sets, stage, options)]
    with progress(None, "sampling", total=len(work) * len(scheduler.timesteps)) as bar:
        for stage, rows in work:
            part, members = sets.part(rows), _members(stage)
            generators = [row[i] for row in part.generators for i in members]
            labels = part.labels.repeat_interleave(len(members))
            first = [torch.randn(sets.shape, generator=g) for g in generators]
            z = torch.stack(first).to(labels.device)
            for t in scheduler.timesteps:
                prediction = _prediction(model, z, t, labels, sets.dataset, options)
                previous = scheduler.step(prediction, t, z, generator=generators).prev_sample
                acting = [guide for guide in guides if guide.acts_at(int(t))]
                if acting:
                    step = _Step.at(int(t), scheduler, model, options)
                    noise = prediction[:, : z.shape[1]]
                    previous -= _direction(z, noise, result[rows], part, stage, step, acting)
                _check_finite(previous, int(t), part.names, members)
                z = previous
                bar.update()
            result[rows, members] = z.view(-1, len(members), *sets.shape).cpu()
    return result


def _members(stage: Stage) -> list[int]:
    return [image for group in stage.groups for image in group]


def _chunks(sets: Sets, stage: Stage, options: Mapping) -> Iterator[slice]:
    size = max(1, SIDE_BY_SIDE * options["micro_batch"] // len(_members(stage)))
    for first in range(0, len(sets.labels), size):
        yield slice(first, first + size)


def _prediction(
    model: object, z: Tensor, t: Tensor, labels: Tensor, dataset: str, options: Mapping
) -> Tensor:
    """``_guided_prediction`` of any number of latents, in calls of one fixed size.

    The last call is filled up with zeros: matrix kernels are chosen by shape, so a
    call of another size would change the last bits of a sample.
    """
    size = options["micro_batch"]
    pieces = []
    for part, classes in zip(z.split(size), labels.split(size), strict=True):
        missing = size - len(part)
        full = torch.cat([part, part.new_zeros(missing, *part.shape[1:])])
        full_classes = torch.cat([classes, classes.new_zeros(missing)])
        try:
            pieces.append(_guided_prediction(model, full, t, full_classes, options)[: len(part)])
            continue
        except torch.OutOfMemoryError:
            pass  # looked into below, once the error has let go of its tensors

        def trial(size: int, full: Tensor = full, classes: Tensor = full_classes) -> None:
            _guided_prediction(model, full[:size], t, classes[:size], options)

        fits = largest_that_fits(trial, size // 2)
        raise MemoryError(
            f"micro_batch {size} does not fit in {capacity(z.device)}; "
            + (f"{fits} fits" if fits else "not even 1 fits")
            + f": set datasets.{dataset}.sampler.{'micro_batch' if fits else 'precision to bf16'}"
        )
    return torch.cat(pieces)


def _guided_prediction(
    model: object, z: Tensor, t: Tensor, labels: Tensor, options: Mapping
) -> Tensor:
    """What the scheduler takes: guided ε̂, (n, c, h, w), and v behind it if that is learned."""
    semantics, scale = SEMANTICS[options["semantics"]], options["guidance_scale"]
    channels, steps = z.shape[1], t.to(z.device).expand(len(z))
    with autocast(z.device, options["precision"]):
        prediction = predict(model, z, steps, labels).float()
        if not semantics.learns_variance:
            prediction = prediction[:, :channels]
        if scale == 1:
            return prediction
        nothing = torch.full_like(labels, null_label(model))
        unconditional = predict(model, z, steps, nothing).float()
    guided = min(semantics.guided_channels or channels, channels)
    base = unconditional[:, :guided]
    return torch.cat(
        [base + scale * (prediction[:, :guided] - base), prediction[:, guided:]], dim=1
    )


@dataclass(frozen=True)
class _Step:
    """What all sets have in common at one step."""

    t: Tensor
    alpha_bar: float
    alpha_bar_before: float
    model: object
    options: Mapping

    @staticmethod
    def at(t: int, scheduler: DDPMScheduler, model: object, options: Mapping) -> "_Step":
        """Step t of a respaced schedule."""
        alphas, before = scheduler.alphas_cumprod, int(scheduler.previous_timestep(t))
        nearer = alphas[before].item() if before >= 0 else 1.0
        return _Step(torch.tensor(t), alphas[t].item(), nearer, model, options)

    def denoise(self, z: Tensor, label: Tensor, shape: tuple[int, int, int]) -> Tensor:
        """Guided ε̂ of flattened latents (n, D) of one class, in a call of their own."""
        labels = label.expand(len(z))
        latents = z.view(-1, *shape)
        found = _guided_prediction(self.model, latents, self.t, labels, self.options)
        return found[:, : shape[0]].flatten(1)


def _direction(
    z: Tensor,
    noise: Tensor,
    result: Tensor,
    sets: Sets,
    stage: Stage,
    step: _Step,
    guides: Sequence[Guide],
) -> Tensor:
    """g_t = Σ weight · term, in the shape of z. ``result`` holds the finished latents.

    Set by set: the matrices' shapes, and with them the last bits of a sample, then do
    not depend on the sets beside it, and N×D numbers are at work at a time.
    """
    groups, finished = len(stage.groups), list(stage.finished)
    images = torch.tensor(stage.groups)
    layout = (len(sets.labels), groups, -1, z[0].numel())
    found = []
    for row, (free, predicted) in enumerate(
        zip(z.view(layout), noise.reshape(layout), strict=True)
    ):
        frozen = result[row, finished].flatten(1).to(z.device)
        state = State(
            z=free,
            finished=(step.alpha_bar**0.5 * frozen).expand(groups, -1, -1),
            class_mean=sets.class_means[row].expand(groups, -1),
            alpha_bar=step.alpha_bar,
            ipc=sets.ipc,
            noise=predicted,
            alpha_bar_before=step.alpha_bar_before,
            seed=sets.seeds[row],
            label=int(sets.labels[row]),
            images=images,
            denoise=partial(step.denoise, label=sets.labels[row], shape=sets.shape),
            shape=sets.shape,
        )
        found.append(sum(guide.weight * guide.term(state) for guide in guides))
    return torch.cat(found).reshape(z.shape)


def _check_finite(z: Tensor, t: int, names: Sequence[str], members: Sequence[int]) -> None:
    bad = ~torch.isfinite(z.flatten(1)).all(1)
    if bad.any():
        where = int(bad.nonzero()[0, 0])
        raise NonFiniteError(
            f"sampling: a latent is not finite at step t={t}: "
            f"{names[where // len(members)]}, image {members[where % len(members)]}"
        )
