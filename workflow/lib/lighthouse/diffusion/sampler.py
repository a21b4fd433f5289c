"""Collaborative guided sampling (M Alg. 1): one sampler for every coupling and term."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from lighthouse.couplings import Stage
from lighthouse.diffusion.guided import GuidedDenoiser, Work
from lighthouse.diffusion.schedule import alphas_bar, ancestral, places, stepped
from lighthouse.guidance import Features, Guide, State
from lighthouse.runtime.job import progress
from lighthouse.runtime.launching import PLAIN
from lighthouse.runtime.rng import image_generators
from lighthouse.runtime.transfer import fetched, sent

#: Sets that are sampled side by side come to at most so many of the largest calls, or are one:
#: few large calls take less time than many small ones.
SIDE_BY_SIDE = 8


class NonFiniteError(FloatingPointError):
    """A latent is NaN or infinite."""


@dataclass(frozen=True)
class Sets:
    """The sets to sample: B sets (a class under a seed) of N images.

    dataset: its name. labels: class of each set, (B,) int64. seeds: of each set. names: of
    each set, for messages. class_means: m_c of each set, (B, D).
    generators: B lists of N CPU generators, one an image.
    shape: of a latent, (c, h, w). starts: clean latents that the sets start at,
    (B, N, c, h, w) on the CPU; None where they start at noise.
    """

    dataset: str
    labels: Tensor
    seeds: Sequence[int]
    names: Sequence[str]
    class_means: Tensor
    generators: Sequence[Sequence[torch.Generator]]
    shape: tuple[int, int, int]
    starts: Tensor | None = None

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
            None if self.starts is None else self.starts[rows],
        )


def sets_of(
    dataset: str,
    classes: Sequence[str],
    class_means: Tensor,
    seeds: Sequence[int],
    ipc: int,
    chosen: Sequence[int] | None = None,
    starts: Tensor | None = None,
    groups: int = 1,
) -> Sets:
    """Sets for every seed and class, seed by seed. class_means: (C, c, h, w).

    ``chosen``: labels of the classes to sample; None is all. ``starts``: of each seed and chosen
    class, (seeds, classes, N, c, h, w). ``groups``: sets of each seed and class, one behind the
    other; set g is of the images g·N to (g+1)·N of the class.
    """
    chosen = range(len(classes)) if chosen is None else chosen
    asked = list(product(seeds, chosen, range(groups)))
    labels = torch.tensor([label for _, label, _ in asked], device=class_means.device)
    return Sets(
        dataset=dataset,
        labels=labels,
        seeds=[seed for seed, *_ in asked],
        names=[
            f"class {classes[label]!r}, seed {seed}" + f", set {group}" * (groups > 1)
            for seed, label, group in asked
        ],
        class_means=class_means.flatten(1)[labels],
        generators=[
            image_generators(seed, dataset, classes[label], range(group * ipc, (group + 1) * ipc))
            for seed, label, group in asked
        ],
        shape=tuple(class_means.shape[1:]),
        starts=None if starts is None else starts.flatten(0, 1),
    )


class Sampled(NamedTuple):
    """Clean latents, (B, N, c, h, w) on the CPU in the order of the sets, and what they took."""

    latents: Tensor
    work: Work


def together(parts: Sequence[Sampled], n_seeds: int) -> Sampled:
    """Sets of some classes each under the same seeds as one: seed by seed, classes part by part."""
    latents = [part.latents.unflatten(0, (n_seeds, -1)) for part in parts]
    work = sum((part.work for part in parts), Work())
    return Sampled(torch.cat(latents, 1).flatten(0, 1), work)


@torch.no_grad()
def sample(
    model: object,
    sets: Sets,
    coupling: Sequence[Stage],
    guides: Sequence[Guide],
    options: Mapping,
    launch: str = PLAIN,
) -> Sampled:
    """Sample the images of ``sets``.

    ``options``: ``steps``, those of ``GuidedDenoiser`` and, for sets that start at images,
    ``start_step``: they are noised to the first of the steps below it (SDEdit's way, Meng et al.,
    ICLR 2022), and sampled from there. All but the denoiser is float32. ``launch``: of the
    denoiser's calls, see ``runtime.launching``.
    The device of ``sets`` holds one set at a time, or as many small ones as come to
    ``SIDE_BY_SIDE`` of the largest calls. Raises ``DataError`` where the semantics ask what
    the model has not, ``NonFiniteError`` with the step and the image, ``MemoryError`` with
    the size of a call that fits.

    The CPU runs ahead of an accelerator: within a set's steps it waits for nothing but the step
    before, to see that it was finite.
    """
    denoiser = GuidedDenoiser(model, sets.dataset, options, launch)
    scheduler = ancestral(options["steps"], denoiser.semantics.variance_type)
    steps, bars = places(scheduler), [*alphas_bar().tolist(), 1.0]  # of step -1 the last
    if sets.starts is not None:
        steps = [place for place in steps if place[0] < options["start_step"]]
    result = torch.empty(len(sets.labels), sets.ipc, *sets.shape)
    work = [(stage, rows) for stage in coupling for rows in _chunks(sets, stage, options)]
    classes, device = sets.labels.tolist(), sets.labels.device
    batches = [[k for k in classes[rows] for _ in _members(stage)] for stage, rows in work]
    traced = any(guide.through_denoiser for guide in guides)
    bar = progress(None, "sampling", total=len(work) * len(steps))
    with bar, denoiser.steady(sets.shape, batches, device, traced):
        for stage, rows in work:
            part, members = sets.part(rows), _members(stage)
            generators = [row[i] for row in part.generators for i in members]
            z = _noise(part, generators)
            if part.starts is not None:
                clean = part.starts[:, members].flatten(0, 1)
                z = scheduler.add_noise(clean, z, torch.tensor(steps[0][0]))
            z = z.to(device)
            labels = part.labels.repeat_interleave(len(members))
            finished = result[rows, list(stage.finished)].flatten(2).to(device)
            images = torch.tensor(stage.groups, device=device)
            shared = part, stage, classes[rows], labels, finished, images
            watch = _Watch(part.names, members)
            fresh = partial(_fresh, part, generators)
            for place in steps:
                acting = [guide for guide in guides if guide.acts_at(place[0])]
                at = _Place(place[0], *shared, tuple(bars[t] for t in place))
                prediction, direction = _look(denoiser, z, at, acting)
                previous = stepped(scheduler, prediction, place, z, fresh)
                z = previous - direction if acting else previous
                watch.see(place[0], previous, *([z] if acting else []))
                bar.update()
            watch.end()
            result[rows, members] = z.view(-1, len(members), *sets.shape).cpu()
    return Sampled(result, denoiser.work)


@torch.no_grad()
def settle(sets: Sets, alone: Callable[[Tensor, int], Tensor]) -> Sampled:
    """Sets with no denoiser: where a term's loss alone takes them from starts, or from noise.

    alone: latents (N, D) of a set and its label to latents, as ``parts.terms.Term.alone`` makes it.
    Raises ``NonFiniteError`` with the image.
    """
    found = []
    for row, label in enumerate(sets.labels.tolist()):
        z = _noise(sets, sets.generators[row]) if sets.starts is None else sets.starts[row]
        _check_finite(z.flatten(1), sets.names[row])  # one that is not leads all others to it
        found.append(alone(z.flatten(1).to(sets.labels.device), label).cpu())
        _check_finite(found[-1], sets.names[row])
    return Sampled(torch.stack(found).unflatten(2, sets.shape), Work())


def _check_finite(z: Tensor, name: str) -> None:
    finite = z.isfinite().all(1).tolist()
    if not all(finite):
        raise NonFiniteError(
            "sampling without a denoiser: a latent is not finite: "
            f"{name}, image {finite.index(False)}"
        )


def _noise(sets: Sets, generators: Sequence[torch.Generator]) -> Tensor:
    """The next noise of some images, (n, c, h, w) on the CPU."""
    return torch.stack([torch.randn(sets.shape, generator=g) for g in generators])


def _fresh(part: Sets, generators: Sequence[torch.Generator]) -> Tensor:
    """The noise of a step of some images, on the sets' device."""
    return sent(_noise(part, generators), part.labels.device)


def _members(stage: Stage) -> list[int]:
    return [image for group in stage.groups for image in group]


def _chunks(sets: Sets, stage: Stage, options: Mapping) -> Iterator[slice]:
    size = max(1, SIDE_BY_SIDE * options["micro_batch"] // len(_members(stage)))
    for first in range(0, len(sets.labels), size):
        yield slice(first, first + size)


@dataclass(frozen=True)
class _Place:
    """Where a run is: the step, and the sets at work.

    classes: of each set. labels: class of each latent, (n,). finished: clean latents of earlier
    stages, (sets, M, D). images: positions of those at work, (groups, G). alphas_bar: ᾱ of this
    step and of the next, nearer to the image; 1 behind the last.
    """

    t: int
    sets: Sets
    stage: Stage
    classes: Sequence[int]
    labels: Tensor
    finished: Tensor
    images: Tensor
    alphas_bar: tuple[float, float]


def _look(
    denoiser: GuidedDenoiser, z: Tensor, place: _Place, guides: Sequence[Guide]
) -> tuple[Tensor, Tensor | None]:
    """The denoiser's prediction for z_t, and g_t = Σ weight · term, in the shape of z.

    Set by set: the matrices' shapes, and with them the last bits of a sample, then do
    not depend on the set beside it, and N×D numbers are at work at a time. Where a term
    goes back through the denoiser, its passes are the only ones, and are held for one set.
    """
    labels, count = place.labels, len(place.sets.labels)
    parts = z.unflatten(0, (count, -1))
    if not any(guide.through_denoiser for guide in guides):
        prediction = denoiser(z, place.t, labels)
        if not guides:
            return prediction, None
        looks = ((raw, None) for raw in prediction.unflatten(0, (count, -1)))
    else:
        of_each = labels.unflatten(0, (count, -1))
        looks = (denoiser.traced(parts[i], place.t, of_each[i]) for i in range(count))
    said, found = [], []
    for row, (raw, back) in enumerate(looks):
        state = _state(denoiser, row, parts[row], raw[:, : z.shape[1]], back, place)
        said.append(raw)
        found.append(sum(guide.weight * guide.term(state) for guide in guides))
    return torch.cat(said), torch.cat(found).reshape(z.shape)


def _state(
    denoiser: GuidedDenoiser,
    row: int,
    z: Tensor,
    noise: Tensor,
    back: Callable[[Tensor], Tensor] | None,
    place: _Place,
) -> State:
    """What the terms are shown of one set. z, noise: (n, c, h, w)."""
    sets, stage = place.sets, place.stage
    groups, alphas = len(stage.groups), place.alphas_bar
    return State(
        z=z.reshape(groups, -1, z[0].numel()),
        finished=(alphas[0] ** 0.5 * place.finished[row]).expand(groups, -1, -1),
        class_mean=sets.class_means[row].expand(groups, -1),
        alpha_bar=alphas[0],
        ipc=sets.ipc,
        noise=noise.reshape(groups, -1, z[0].numel()),
        alpha_bar_before=alphas[1],
        seed=sets.seeds[row],
        label=place.classes[row],
        images=place.images,
        back=back and (lambda slopes: back(slopes.view_as(z)).flatten(1)),
        shape=sets.shape,
        features=_features(denoiser, place.t, sets.labels[row : row + 1], sets.shape),
    )


def _features(
    denoiser: GuidedDenoiser, t: int, label: Tensor, shape: tuple[int, int, int]
) -> Features:
    """The denoiser's features at step t with the class (1,) of a set. shape: of a latent."""

    def of(z: Tensor, depth: float) -> Tensor:
        return denoiser.features(z.unflatten(1, shape), t, label.expand(len(z)), depth)

    def slope(z: Tensor, depth: float, by_features: Callable[[Tensor], Tensor]) -> Tensor:
        labels = label.expand(len(z))
        found = denoiser.features_slope(z.unflatten(1, shape), t, labels, depth, by_features)
        return found.flatten(1)

    return Features(of, slope)


class _Watch:
    """Sees that latents are finite, one step late: an accelerator is at work on the next by then.

    names: of the sets. members: the images of each that are at work.
    """

    def __init__(self, names: Sequence[str], members: Sequence[int]):
        self.names, self.members = names, members
        self.seen: tuple[int, Callable[[], Tensor]] | None = None

    def see(self, t: int, *latents: Tensor) -> None:
        """Look at latents (n, …) of step t. Raises ``NonFiniteError`` of the step before.

        latents: before guidance, and behind it, where the images of a group share what is wrong
        with one: that one is named.
        """
        finite = fetched(torch.stack([torch.isfinite(z.flatten(1)).all(1) for z in latents]))
        self.end()
        self.seen = t, finite

    def end(self) -> None:
        """Raises ``NonFiniteError`` of the step that was seen last."""
        if self.seen is None:
            return
        t, finite = self.seen
        for found in finite().tolist():
            if all(found):
                continue
            row, image = divmod(found.index(False), len(self.members))
            raise NonFiniteError(
                f"sampling: a latent is not finite at step t={t}: "
                f"{self.names[row]}, image {self.members[image]}"
            )
