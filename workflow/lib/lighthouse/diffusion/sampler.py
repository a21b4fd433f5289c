"""Collaborative guided sampling (M Alg. 1): one sampler for every coupling and term."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from lighthouse.couplings import Stage
from lighthouse.diffusion.denoiser import null_label, predict_noise
from lighthouse.guidance import State, Term
from lighthouse.runtime.job import progress
from lighthouse.runtime.rng import image_generators

#: DiT's schedule: linear betas, 1000 steps.
SCHEDULE = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 2e-2}


class NonFiniteError(FloatingPointError):
    """A latent is NaN or infinite."""


def noise_schedule(steps: int) -> DDPMScheduler:
    """Ancestral DDPM respaced to ``steps`` as DiT does (linspace over 0…999), small variance."""
    scheduler = DDPMScheduler(
        **SCHEDULE, clip_sample=False, timestep_spacing="linspace", variance_type="fixed_small"
    )
    scheduler.set_timesteps(steps)
    return scheduler


@dataclass(frozen=True)
class Sets:
    """The sets to sample: B sets (a class under a seed) of N images.

    labels: class of each set, (B,) int64. names: of each set, for messages.
    class_means: m_c of each set, (B, D).
    generators: B lists of N CPU generators, one an image.
    shape: of a latent, (c, h, w).
    """

    labels: Tensor
    names: Sequence[str]
    class_means: Tensor
    generators: Sequence[Sequence[torch.Generator]]
    shape: tuple[int, int, int]

    @property
    def ipc(self) -> int:
        """N."""
        return len(self.generators[0])


def sets_of(
    dataset: str, classes: Sequence[str], class_means: Tensor, seeds: Sequence[int], ipc: int
) -> Sets:
    """Sets for every seed and class, seed by seed. class_means: (C, c, h, w)."""
    pairs = [(seed, label) for seed in seeds for label in range(len(classes))]
    labels = torch.tensor([label for _, label in pairs], device=class_means.device)
    return Sets(
        labels=labels,
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
    terms: Sequence[tuple[float, Term]],
    options: Mapping,
    guided: tuple[int, int] = (0, 1000),
) -> Tensor:
    """Sample clean latents, (B, N, c, h, w), in the order of ``sets``.

    ``options``: ``steps``, ``guidance_scale`` (1 is none), ``micro_batch`` (latents
    in one call of the denoiser). Terms act on steps ``guided[0] <= t < guided[1]``.
    Raises ``NonFiniteError`` with the step and the image.
    """
    scheduler = noise_schedule(options["steps"])
    device = sets.class_means.device
    result = torch.empty(len(sets.labels), sets.ipc, *sets.shape, device=device)
    for number, stage in enumerate(coupling):
        members = [i for group in stage.groups for i in group]
        generators = [row[i] for row in sets.generators for i in members]
        labels = sets.labels.repeat_interleave(len(members))
        finished = result[:, list(stage.finished)].flatten(2)
        z = _draw(generators, sets.shape, device)
        for t in progress(scheduler.timesteps, f"pass {number + 1}/{len(coupling)}"):
            noise = _guided_noise(model, z, t, labels, options)
            previous = scheduler.step(noise, t, z, generator=generators).prev_sample
            if terms and guided[0] <= t < guided[1]:
                alpha_bar = scheduler.alphas_cumprod[t].item()
                previous -= _direction(z, finished, sets, stage, alpha_bar, terms)
            _check_finite(previous, int(t), sets.names, members)
            z = previous
        result[:, members] = z.view(len(sets.labels), len(members), *sets.shape)
    return result


def _draw(generators: Sequence[torch.Generator], shape: tuple, device: object) -> Tensor:
    return torch.stack([torch.randn(shape, generator=g) for g in generators]).to(device)


def _guided_noise(model: object, z: Tensor, t: Tensor, labels: Tensor, options: Mapping) -> Tensor:
    """ε̂ with classifier-free guidance on all latent channels, in calls of one fixed size.

    The last call is filled up with zeros: matrix kernels are chosen by shape, so a
    call of another size would change the last bits of a sample.
    """
    size, scale = options["micro_batch"], options["guidance_scale"]
    pieces = []
    for part, classes in zip(z.split(size), labels.split(size), strict=True):
        missing = size - len(part)
        full = torch.cat([part, part.new_zeros(missing, *part.shape[1:])])
        full_classes = torch.cat([classes, classes.new_zeros(missing)])
        steps = t.to(z.device).expand(size)
        noise = predict_noise(model, full, steps, full_classes)
        if scale != 1:
            unconditional = predict_noise(
                model, full, steps, torch.full_like(full_classes, null_label(model))
            )
            noise = unconditional + scale * (noise - unconditional)
        pieces.append(noise[: len(part)])
    return torch.cat(pieces)


def _direction(
    z: Tensor,
    finished: Tensor,
    sets: Sets,
    stage: Stage,
    alpha_bar: float,
    terms: Sequence[tuple[float, Term]],
) -> Tensor:
    """g_t = Σ weight · gradient, in the shape of z."""
    groups = len(stage.groups)
    state = State(
        z=z.flatten(1).view(len(sets.labels) * groups, -1, z[0].numel()),
        finished=(alpha_bar**0.5 * finished).repeat_interleave(groups, dim=0),
        class_mean=sets.class_means.repeat_interleave(groups, dim=0),
        alpha_bar=alpha_bar,
        ipc=sets.ipc,
    )
    return sum(weight * term(state) for weight, term in terms).reshape(z.shape)


def _check_finite(z: Tensor, t: int, names: Sequence[str], members: Sequence[int]) -> None:
    bad = ~torch.isfinite(z.flatten(1)).all(1)
    if bad.any():
        where = int(bad.nonzero()[0, 0])
        raise NonFiniteError(
            f"sampling: a latent is not finite at step t={t}: "
            f"{names[where // len(members)]}, image {members[where % len(members)]}"
        )
