"""Weights by a rule: of several candidates the one that is best on the validation part.

The scale of classifier-free guidance is a weight as well, whose natural unit is the least tried.
"""

import statistics
from collections.abc import Mapping, Sequence
from math import prod

from lighthouse.runtime.errors import DataError

#: Decimals of an accuracy, a fraction, that count: below them equal ones differ by rounding.
DECIMALS = 9


def tried(candidate: Mapping, students: Mapping, seconds: float) -> dict:
    """What a candidate came to.

    candidate: its ``variant``, ``factors`` and ``weights``. students: their record
    (``runs.students_record``). seconds: what its sets and its students took.
    ``val``, ``test``: the accuracy of the last epoch on each part, a fraction, as the mean over
    all sets and students. The choice is by ``val`` alone. Raises ``DataError`` where the
    validation part holds no image, as where ``val_share`` of a small class rounds to none.
    """
    runs = students["runs"]
    if any(run["last_val"] is None for run in runs):
        raise DataError(
            "the validation part, on which weights are chosen, holds no image: raise val_share"
        )
    return {
        **{key: candidate[key] for key in ("variant", "factors", "weights")},
        "val": statistics.fmean(run["last_val"] for run in runs),
        "test": statistics.fmean(run["last"] for run in runs),
        "seconds": seconds,
    }


def best(candidates: Sequence[Mapping]) -> Mapping:
    """The candidate of the highest accuracy on the validation part, of those of ``tried``.

    Of equals it is the one that is nearest to the natural units, by the product over its terms of
    how many times the weight is above or below; of equals in this, too, that of the smaller
    weights, by the product of its factors; and then the first.
    """
    return min(candidates, key=_rank)


def _rank(candidate: Mapping) -> tuple[float, float, float]:
    factors = candidate["factors"].values()
    away = prod(max(factor, 1 / factor) for factor in factors)
    return -round(candidate["val"], DECIMALS), away, prod(factors)


def tuning_record(candidates: Sequence[Mapping]) -> dict:
    """What the record of a tuning holds. candidates: each of ``tried``.

    ``chosen``: the variant of the best. ``weights``: its own, by column, in the papers' unit.
    ``seconds``: what all of them took.
    """
    chosen = best(candidates)
    return {
        "candidates": list(candidates),
        "chosen": chosen["variant"],
        "weights": chosen["weights"],
        "seconds": sum(candidate["seconds"] for candidate in candidates),
    }
