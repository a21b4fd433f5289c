"""How weights are updated: torch's optimisers, and the course of the learning rate.

The optimisers update all weights in one call of a fused kernel: by default torch calls a dozen
kernels a weight on a CPU, which of small networks is a tenth to a quarter of a step.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import torch

AdamW = partial(torch.optim.AdamW, fused=True)
SGD = partial(torch.optim.SGD, fused=True)


def rate_schedule(
    optimizer: torch.optim.Optimizer,
    schedule: Mapping,
    peak: float,
    steps: int | None,
    trapezoid: Callable[[int], float] | None = None,
) -> torch.optim.lr_scheduler.LRScheduler:
    """The course of the learning rate over ``steps``, of a ``schedule`` of the config.

    ``kind``: ``constant``; ``one-cycle`` (Smith and Topin 2018, as torch has it: from peak/25
    up within the share ``warmup`` of the steps and down to peak/250,000, by cosines, AdamW's β₁
    going from 0.95 to 0.85 and back); or ``trapezoid``, the share of the peak in each step being
    what the function ``trapezoid`` says (``priors.length``), where nobody knows ``steps``.
    """
    if schedule["kind"] == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, peak, steps, pct_start=schedule["warmup"]
        )
    if schedule["kind"] == "trapezoid":
        return torch.optim.lr_scheduler.LambdaLR(optimizer, trapezoid)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def clip_gradients(weights: Iterable[torch.Tensor], options: Mapping) -> torch.Tensor | None:
    """Hold the norm of all gradients together to ``gradient_clip``, unless that is None.

    Returns whether it was above, () bool.
    """
    limit = options["gradient_clip"]
    return None if limit is None else torch.nn.utils.clip_grad_norm_(weights, limit) > limit
