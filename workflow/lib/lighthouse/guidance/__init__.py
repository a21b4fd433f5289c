"""Guidance terms: where a set of latents should move.

A term is a function ``State -> direction`` that the sampler subtracts, times its weight,
from the next latents z_{t-1}. It is a plug: ``parts.terms`` declares it, and names the function
of a module here that makes it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.state import Features, State
from lighthouse.runtime.named import load
from lighthouse.units import raw_weight

__all__ = [
    "Context",
    "Features",
    "Guide",
    "State",
    "Term",
    "alone_of",
    "applied_weight",
    "guides_of",
    "with_weights",
]

Term = Callable[[State], Tensor]


@dataclass(frozen=True)
class Guide:
    """A term at work: its weight as applied, and the steps t, first <= t < last.

    through_denoiser: whether its gradient goes back through the denoiser.
    """

    weight: float
    term: Term
    steps: tuple[int, int] = (0, 1000)
    through_denoiser: bool = False

    def acts_at(self, t: int) -> bool:
        """Whether the term acts at step t."""
        return self.steps[0] <= t < self.steps[1]


def applied_weight(term: Mapping, latent_dim: int) -> float:
    """The weight of a term of a job as applied to latents of ``latent_dim`` numbers."""
    return raw_weight(term["weight"], latent_dim) if term["grows"] else term["weight"]


def with_weights(terms: Iterable[Mapping], weights: Mapping[str, float]) -> list[dict]:
    """The terms of a job with the weights that a tuning has chosen, by column."""
    return [{**term, "weight": weights[term["column"]]} for term in terms]


def guides_of(terms: Iterable[Mapping], context: Context) -> list[Guide]:
    """The terms of a method at work; those of weight 0 are left out.

    terms: as ``parts.terms.Term.at_work`` gives them to a job. ``make`` names the function that
    makes a term of its options and of what the job has.
    """
    guides = []
    for term in terms:
        weight = applied_weight(term, context.latent_dim)
        if weight:
            made = load(term["make"])(term["options"], context)
            steps = tuple(term["options"]["steps"])
            guides.append(Guide(weight, made, steps, term["through_denoiser"]))
    return guides


def alone_of(terms: Iterable[Mapping], context: Context) -> Callable[[Tensor, int], Tensor]:
    """What moves latents (N, D) of a class where there is no denoiser: the one term's own way."""
    (term,) = terms
    return load(term["alone"])(term["options"], context)
