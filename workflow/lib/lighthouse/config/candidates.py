"""Candidates of what is chosen on the validation part: a method's weights, a dataset's scale.

Of weights they are few points that stand for a grid of many:

K factors for each of m terms would be K^m points, and what a method may spend on its tuning would
rise with the number of its terms. A rank-1 lattice has K points whatever m is, and each factor
once for each term (a Latin hypercube), so that every method has the same budget.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from lighthouse.parts.terms import Term

#: The weight of classifier-free guidance, as the sampler's options and tables name it.
SCALE = "guidance_scale"


@dataclass(frozen=True)
class Candidate:
    """Weights that are tried. factors: of the natural unit of each term, by its column.

    weights: what they come to, in the papers' unit, by column. Of classifier-free guidance it is
    the one weight ``SCALE``, and its unit is the least that is tried.
    """

    factors: Mapping[str, float]
    weights: Mapping[str, float]


def candidates(terms: Sequence[Term], factors: Sequence[float], ipc: int) -> list[Candidate]:
    """As many candidates as there are factors, each factor once for each term.

    factors: rising, 1 among them; that of all terms is 1 in one candidate. At most as many terms
    as ``generators`` of the factors' number: a further one would move in step with another.
    """
    found = []
    for point in lattice(len(factors), len(terms), factors.index(1)):
        chosen = {t.column: factors[i] for t, i in zip(terms, point, strict=True)}
        weights = {t.column: chosen[t.column] * t.unit(ipc) for t in terms}
        found.append(Candidate(chosen, weights))
    return found


def scales(values: Sequence[float]) -> list[Candidate]:
    """A candidate for each scale of classifier-free guidance. values: rising."""
    return [Candidate({SCALE: value / values[0]}, {SCALE: value}) for value in values]


def lattice(count: int, dimensions: int, centre: int) -> list[tuple[int, ...]]:
    """``count`` points of a rank-1 lattice: each place of 0 … count - 1 once in each dimension.

    Point i has the place i in the first dimension, and in each other one the place that as many
    steps of its generator lead to, counted from ``centre``, where all are the same.
    """
    steps = generators(count)[:dimensions]
    return [tuple((centre + step * (i - centre)) % count for step in steps) for i in range(count)]


def generators(count: int) -> list[int]:
    """The steps that, round and round, meet each of ``count`` places: those coprime to it."""
    return [step for step in range(1, count) if gcd(step, count) == 1]
