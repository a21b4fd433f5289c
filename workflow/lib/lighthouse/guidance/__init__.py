"""Guidance terms: where a set of latents should move.

A term is a function ``State -> gradient`` of a loss that the sampler descends. Terms
need no back-propagation through the denoiser: their gradients have closed forms.
"""

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor

from lighthouse.guidance.dpp import dpp_gradient
from lighthouse.guidance.mean_matching import mean_gradient
from lighthouse.guidance.state import State
from lighthouse.units import TERM_WEIGHTS, raw_weight

__all__ = ["TERMS", "State", "Term", "weighted_terms"]

Term = Callable[[State], Tensor]

#: Makers of terms by name, from the shared options of ``guidance`` in the config.
TERMS: dict[str, Callable[[Mapping], Term]] = {
    "dpp": lambda options: partial(dpp_gradient, epsilon=options["epsilon"]),
    "mean": lambda options: mean_gradient,
}


def weighted_terms(
    names: tuple[str, ...], weights: Mapping[str, float], options: Mapping, latent_dim: int
) -> list[tuple[float, Term]]:
    """Terms with their raw weights; those of weight 0 are left out.

    ``weights`` holds ``eta_dpp`` and ``mu_dm`` in the paper's unit.
    """
    return [
        (raw_weight(weights[TERM_WEIGHTS[name]], latent_dim), TERMS[name](options))
        for name in names
        if weights[TERM_WEIGHTS[name]]
    ]
