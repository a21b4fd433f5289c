"""A denoiser under classifier-free guidance, in calls that ``calls`` divides, and counted."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from lighthouse.diffusion.calls import (
    embedded_once,
    is_dit,
    ladder,
    left_over,
    sizes_of_calls,
    steady_rows,
    steady_sizes,
)
from lighthouse.diffusion.denoiser import has_learned_variance, null_label, predict
from lighthouse.runtime.errors import DataError
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
    for. gradients: latents whose gradient was taken back through it. computed: latents that
    went through the model, so that filled-up places and what is done twice show.
    """

    evaluations: int = 0
    gradients: int = 0
    computed: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


class GuidedDenoiser:
    """ε̂ of noisy latents under classifier-free guidance.

    options: ``semantics``, ``guidance_scale`` (1 is none), ``micro_batch`` (latents in the
    largest call), ``precision`` (of the denoiser; what it returns is float32). work: counts.
    Raises ``DataError`` where the semantics ask what the model has not.
    """

    def __init__(self, model: object, dataset: str, options: Mapping):
        self.model, self.dataset, self.options = model, dataset, options
        self.semantics = SEMANTICS[options["semantics"]]
        self.sizes = ladder(options["micro_batch"])
        self.work = Work()
        if self.semantics.learns_variance and not has_learned_variance(model):
            raise DataError(
                f"sampler.semantics {options['semantics']!r} takes the variance of a step from "
                f"the denoiser, and that of {dataset} predicts noise alone: set semantics to "
                "'diffusers', or use a denoiser with learned variance"
            )

    @contextmanager
    def steady(self, shape: Sequence[int], counts: Iterable[int], device: object) -> Iterator[None]:
        """Within it, what is said of a latent (c, h, w) does not depend on those beside it.

        On an accelerator: but for rounding. counts: how many latents it will be asked of at a time.
        """
        largest, t = self.options["micro_batch"], torch.tensor(TRAIN_STEPS // 2)
        # Rows are filled up below what answers again, so that this happens once a call, too.
        with steady_rows(self.model, largest), embedded_once(self.model):
            if is_dit(self.model) and torch.device(device).type == "cpu":
                self.sizes = steady_sizes(
                    lambda z, labels: self._call(z, t, labels), shape, largest, counts
                )
                self.work = Work()  # of the sets alone
            elif is_dit(self.model):
                self.sizes = [*left_over(counts, largest), largest]
            yield

    def __call__(self, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """What the scheduler takes: guided ε̂ of z_t, (n, c, h, w), and v behind it if learned.

        t: one step for all. labels: (n,). Raises ``MemoryError`` with the size that fits.
        """
        self.work.evaluations += self._passes * len(z)
        return self._in_calls(z, t, labels)

    def _in_calls(self, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        sizes = sizes_of_calls(len(z), self.sizes)
        missing = sum(sizes) - len(z)
        full = torch.cat([z, z.new_zeros(missing, *z.shape[1:])])
        classes = torch.cat([labels, labels.new_zeros(missing)])
        parts = zip(full.split(sizes), classes.split(sizes), strict=True)
        return torch.cat([self._call(part, t, own) for part, own in parts])[: len(z)]

    def traced(
        self, z: Tensor, t: Tensor, labels: Tensor
    ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The same, and the way back: a function from gradients by ε̂ to gradients by z_t.

        The activations of all n latents are held until it is let go of. Each latent is a call
        of its own, which bounds what one call adds, and may be walked back once.
        """
        self.work.evaluations += self._passes * len(z)
        leaves = [latent.detach().requires_grad_() for latent in z.split(1)]
        with torch.enable_grad():
            found = [
                self._in_calls(leaf, t, label)
                for leaf, label in zip(leaves, labels.split(1), strict=True)
            ]
            noise = [prediction[:, : z.shape[1]] for prediction in found]

        def back(slopes: Tensor) -> Tensor:
            self.work.gradients += self._passes * len(leaves)
            return torch.cat(torch.autograd.grad(noise, leaves, list(slopes.split(1))))

        return torch.cat([prediction.detach() for prediction in found]), back

    @property
    def _passes(self) -> int:
        return 1 if self.options["guidance_scale"] == 1 else 2

    def _call(self, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        try:
            return self._guided(z, t, labels)
        except torch.OutOfMemoryError:
            pass  # looked into below, once the error has let go of its tensors
        raise MemoryError(self._advice(z, t, labels))

    def _guided(self, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        scale, channels = self.options["guidance_scale"], z.shape[1]
        steps = t.to(z.device).expand(len(z))
        with autocast(z.device, self.options["precision"]):
            prediction = self._predict(z, steps, labels)
            if not self.semantics.learns_variance:
                prediction = prediction[:, :channels]
            if scale == 1:
                return prediction
            nothing = torch.full_like(labels, null_label(self.model))
            unconditional = self._predict(z, steps, nothing)
        guided = min(self.semantics.guided_channels or channels, channels)
        base = unconditional[:, :guided]
        return torch.cat(
            [base + scale * (prediction[:, :guided] - base), prediction[:, guided:]], dim=1
        )

    def _predict(self, z: Tensor, steps: Tensor, labels: Tensor) -> Tensor:
        self.work.computed += len(z)
        return predict(self.model, z, steps, labels).float()

    def _advice(self, z: Tensor, t: Tensor, labels: Tensor) -> str:
        """What to do where a call does not fit."""

        def trial(size: int) -> None:
            self._guided(z[:size], t, labels[:size])

        fits = largest_that_fits(trial, len(z) // 2)
        return (
            f"{len(z)} latents in one call of the denoiser do not fit in {capacity(z.device)}; "
            + (f"{fits} fit" if fits else "not even 1 fits")
            + f": set datasets.{self.dataset}.sampler."
            + (f"micro_batch to {fits}" if fits else "precision to bf16")
        )
