"""A denoiser under classifier-free guidance, in calls that ``calls`` divides, and counted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from lighthouse.diffusion.calls import (
    is_dit,
    ladder,
    left_over,
    sizes_of_calls,
    steady_rows,
    steady_sizes,
)
from lighthouse.diffusion.denoiser import (
    cast_ahead,
    features,
    has_learned_variance,
    null_label,
    predict,
)
from lighthouse.diffusion.modulation import Modulations, modulated
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.launching import PLAIN, Step, compiled, launched
from lighthouse.runtime.memory import capacity, largest_that_fits
from lighthouse.runtime.precision import autocast
from lighthouse.steps import TRAIN_STEPS


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


@dataclass
class Work:
    """What a denoiser was asked, which no machine changes, and what it computed.

    Passes with and without a class count apart. evaluations: latents whose noise was asked
    for, or whose features, which take some of the blocks alone: such a pass counts as a whole one.
    gradients: latents whose gradient was taken back through it. computed: latents that
    went through the model, so that filled-up places and what is done twice show.
    """

    evaluations: int = 0
    gradients: int = 0
    computed: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


#: What sizes of calls were found to say (``steady_sizes``), by model, and by what else that depends
#: on: a job asks the same model for set after set.
_SAID: WeakKeyDictionary[object, dict] = WeakKeyDictionary()


class GuidedDenoiser:
    """ε̂ of noisy latents under classifier-free guidance.

    Latents are asked of with their classes and without in the same calls.

    options: ``semantics``, ``guidance_scale`` (1 is none), ``micro_batch`` (latents in the
    largest call), ``precision`` (of the denoiser; what it returns is float32). launch: of calls
    without a way back, see ``runtime.launching``. work: counts.
    Raises ``DataError`` where the semantics ask what the model has not.
    """

    def __init__(self, model: object, dataset: str, options: Mapping, launch: str = PLAIN):
        self.model, self.dataset, self.options = model, dataset, options
        self.semantics, self.launch = SEMANTICS[options["semantics"]], launch
        self.sizes = ladder(options["micro_batch"])
        self.work = Work()
        # Of a DiT, as long as it is steady: what its blocks are told, and what launches its calls.
        self._modulations: Modulations | None = None
        self._launched: Step | None = None
        if self.semantics.learns_variance and not has_learned_variance(model):
            raise DataError(
                f"sampler.semantics {options['semantics']!r} takes the variance of a step from "
                f"the denoiser, and that of {dataset} predicts noise alone: set semantics to "
                "'diffusers', or use a denoiser with learned variance"
            )

    @contextmanager
    def steady(
        self,
        shape: Sequence[int],
        batches: Sequence[Sequence[int]],
        device: object,
        traced: bool = False,
    ) -> Iterator[None]:
        """Within it, what is said of a latent (c, h, w) does not depend on those beside it.

        On an accelerator: but for rounding. batches: the classes of the latents that it will be
        asked of at a time; it may be asked of no others. traced: whether some with a way back.
        """
        if not is_dit(self.model):
            yield
            return
        largest = self.options["micro_batch"]
        counts = {self._passes * len(batch) for batch in batches} | ({1} if traced else set())
        with ExitStack() as within:
            within.enter_context(cast_ahead(self.model, self.options["precision"]))
            within.enter_context(steady_rows(self.model, largest))
            tables = within.enter_context(modulated(self.model, largest, device))
            within.enter_context(compiled(self.model.transformer_blocks, self.launch))
            self._modulations = tables
            self._launched = launched(self._said_of_rows, self.launch, device)
            within.callback(self._let_go)
            classes, t = self._asked(batches), TRAIN_STEPS // 2
            on_cpu = torch.device(device).type == "cpu"
            if len(classes) <= largest and (not on_cpu or self._agree(classes[0], len(classes), t)):
                tables.keep(classes)
            if on_cpu:

                def call(z: Tensor, draw: int) -> Tensor:
                    tried = classes[draw % len(classes)], classes[-1]  # the last is none at all
                    return torch.cat([self._call(z, t, self._all(z, k)) for k in tried], dim=1)

                key = tuple(shape), largest, tuple(classes), self.options["precision"], self.launch
                known = _SAID.setdefault(self.model, {}).setdefault(key, {})
                self.sizes = steady_sizes(call, shape, largest, counts, known)
                self.work = Work()  # of the sets alone
            else:
                self.sizes = [*left_over(counts, largest), largest]
            yield

    def _let_go(self) -> None:
        self._modulations = self._launched = None

    def _asked(self, batches: Sequence[Sequence[int]]) -> list[int]:
        """The labels that the model will be asked of."""
        null = [null_label(self.model)] if self._passes == 2 else []
        return sorted({*(label for batch in batches for label in batch), *null})

    def _all(self, z: Tensor, label: int) -> Tensor:
        return torch.full((len(z),), label, device=z.device)

    def _agree(self, label: int, count: int, t: int) -> bool:
        with autocast(self._modulations.device, self.options["precision"]):
            return self._modulations.places_agree(label, count, t)

    def __call__(self, z: Tensor, t: int, labels: Tensor) -> Tensor:
        """What the scheduler takes: guided ε̂ of z_t, (n, c, h, w), and v behind it if learned.

        t: one step for all. labels: (n,). Raises ``MemoryError`` with the size that fits.
        """
        self.work.evaluations += self._passes * len(z)
        return self._guided(z, int(t), labels)

    def _guided(self, z: Tensor, t: int, labels: Tensor, apart: bool = False) -> Tensor:
        if self._passes == 1:
            return self._in_calls(z, t, labels)
        nothing = torch.full_like(labels, null_label(self.model))
        if apart:
            given, without = (self._in_calls(z, t, own) for own in (labels, nothing))
        else:
            both = self._in_calls(torch.cat([z, z]), t, torch.cat([labels, nothing]))
            given, without = both.chunk(2)
        scale, channels = self.options["guidance_scale"], z.shape[1]
        guided = min(self.semantics.guided_channels or channels, channels)
        base = without[:, :guided]
        return torch.cat([base + scale * (given[:, :guided] - base), given[:, guided:]], dim=1)

    def _in_calls(self, z: Tensor, t: int, labels: Tensor, depth: float | None = None) -> Tensor:
        """What the model says, in calls: (n, c, h, w), with v behind it where it is wanted.

        depth: that of ``features``, which are then what is found.
        """
        sizes = sizes_of_calls(len(z), self.sizes)
        if missing := sum(sizes) - len(z):
            z = torch.cat([z, z.new_zeros(missing, *z.shape[1:])])
            labels = torch.cat([labels, labels[:1].expand(missing)])
        parts = zip(z.split(sizes), labels.split(sizes), strict=True)
        found = torch.cat([self._call(part, t, own, depth) for part, own in parts])
        return found[: len(found) - missing]

    def traced(
        self, z: Tensor, t: int, labels: Tensor
    ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The same, and the way back: a function from gradients by ε̂ to gradients by z_t.

        The activations of all n latents are held until it is let go of. Each latent is two calls
        of its own, with its class and without, which bounds what one call adds, and may be walked
        back once.
        """
        self.work.evaluations += self._passes * len(z)
        leaves = [latent.detach().requires_grad_() for latent in z.split(1)]
        with torch.enable_grad():
            found = [
                self._guided(leaf, int(t), label, apart=True)
                for leaf, label in zip(leaves, labels.split(1), strict=True)
            ]
            noise = [prediction[:, : z.shape[1]] for prediction in found]

        def back(slopes: Tensor) -> Tensor:
            self.work.gradients += self._passes * len(leaves)
            return torch.cat(torch.autograd.grad(noise, leaves, list(slopes.split(1))))

        return torch.cat([prediction.detach() for prediction in found]), back

    def features(self, z: Tensor, t: int, labels: Tensor, depth: float) -> Tensor:
        """What blocks have made of z_t with its class: (n, tokens, width), float32.

        depth: the share of the blocks that it is behind (``denoiser.features``).
        """
        self.work.evaluations += len(z)
        return self._in_calls(z, int(t), labels, depth)

    def features_slope(
        self, z: Tensor, t: int, labels: Tensor, depth: float, slope: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Gradients by z_t, (n, c, h, w), of what has the gradient ``slope`` of its features.

        slope: features (1, tokens, width) of a latent to gradients by them. Each latent is a call
        of its own, walked back at once: what it needs is held for one at a time.
        """
        self.work.evaluations += len(z)
        self.work.gradients += len(z)
        found = []
        for latent, label in zip(z.split(1), labels.split(1), strict=True):
            with torch.enable_grad():
                leaf = latent.detach().requires_grad_()
                own = self._call(leaf, int(t), label, depth)
            found.append(torch.autograd.grad(own, leaf, slope(own.detach()))[0])
        return torch.cat(found)

    @property
    def _passes(self) -> int:
        return 1 if self.options["guidance_scale"] == 1 else 2

    def _call(self, z: Tensor, t: int, labels: Tensor, depth: float | None = None) -> Tensor:
        try:
            return self._said(z, t, labels, depth)
        except torch.OutOfMemoryError:
            pass  # looked into below, once the error has let go of its tensors
        raise MemoryError(self._advice(z, t, labels, depth))

    def _said(self, z: Tensor, t: int, labels: Tensor, depth: float | None) -> Tensor:
        self.work.computed += len(z)
        with autocast(z.device, self.options["precision"]):
            if self._modulations is None:
                steps, rows = torch.full_like(labels, t), labels
            else:
                steps, rows = None, self._modulations.rows(t, labels)
            if depth is not None:
                return features(self.model, z, steps, rows, depth).float()
            if steps is not None:
                return self._wanted(z, steps, rows)
        # Graphs hold no way back.
        said = self._said_of_rows if torch.is_grad_enabled() else self._launched
        return said(z, rows)

    def _said_of_rows(self, z: Tensor, rows: Tensor) -> Tensor:
        """What the model says of z_t in some rows of the tables, in one call."""
        with autocast(z.device, self.options["precision"]):
            return self._wanted(z, None, rows)

    def _wanted(self, z: Tensor, steps: Tensor | None, labels: Tensor) -> Tensor:
        said = predict(self.model, z, steps, labels).float()
        return said if self.semantics.learns_variance else said[:, : z.shape[1]]

    def _advice(self, z: Tensor, t: int, labels: Tensor, depth: float | None) -> str:
        """What to do where a call does not fit."""

        def trial(size: int) -> None:
            self._said(z[:size], t, labels[:size], depth)

        fits = largest_that_fits(trial, len(z) // 2)
        return (
            f"{len(z)} latents in one call of the denoiser do not fit in {capacity(z.device)}; "
            + (f"{fits} fit" if fits else "not even 1 fits")
            + f": set datasets.{self.dataset}.sampler."
            + (f"micro_batch to {fits}" if fits else "precision to bf16")
        )
