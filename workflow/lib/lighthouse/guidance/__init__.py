"""Guidance terms: where a set of latents should move.

A term is a function ``State -> direction`` that the sampler subtracts, times its weight,
from the next latents z_{t-1}. It is a plug: to add one, write its module, and name it in
``TERMS`` and, with its weight, in ``TERM_WEIGHTS`` (``units.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.deviation import deviation
from lighthouse.guidance.dpp import dpp
from lighthouse.guidance.influence import influence
from lighthouse.guidance.mean_matching import mean_matching
from lighthouse.guidance.mode import mode
from lighthouse.guidance.state import State
from lighthouse.units import TERM_WEIGHTS, raw_weight

__all__ = ["TERMS", "Context", "Guide", "State", "Term", "guides_of"]

Term = Callable[[State], Tensor]

#: Makers of terms by name, from a term's options in the config and what its job has.
TERMS: dict[str, Callable[[Mapping, Context], Term]] = {
    "dpp": dpp,
    "mean": mean_matching,
    "influence": influence,
    "deviation": deviation,
    "mode": mode,
}


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


def guides_of(
    names: tuple[str, ...], weights: Mapping[str, float], options: Mapping, context: Context
) -> list[Guide]:
    """The terms of a method; those of weight 0 are left out.

    ``weights``: by column of the hyperparameter table, in the papers' unit. ``options``:
    ``guidance`` of the config, an entry a term.
    """
    guides = []
    for name in names:
        about = TERM_WEIGHTS[name]
        weight = raw_weight(name, weights[about.column], context.latent_dim)
        if weight:
            term = TERMS[name](options[name], context)
            steps = tuple(options[name]["steps"])
            guides.append(Guide(weight, term, steps, about.through_denoiser))
    return guides
