"""How weights are updated: torch's optimisers, and the course of the learning rate.

The optimisers update all weights in one call of a fused kernel: by default torch calls a dozen
kernels a weight on a CPU, which of small networks is a tenth to a quarter of a step. They come
without torch's compiler, which each of them loads though nothing is compiled.

``import torch._dynamo`` takes as long as ``import torch``, and a student of the digits trains no
longer than that. torch loads it to mark an optimiser's functions as not to be compiled; here
they are taken without the mark, and their arithmetic is torch's own.
"""

import inspect
from collections.abc import Iterable, Mapping
from functools import partial

import torch


def plain(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The same optimiser, with the functions that lie under the marks of torch's compiler.

    Of a torch that marks nothing the functions are taken as they are; should it mark in
    another way, the compiler is loaded, and nothing else differs.
    """
    marked = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    bare = inspect.unwrap(kind.step)

    def step(self: torch.optim.Optimizer, closure: object = None) -> object:
        # One of the wrappers left out sets this, the other one, of profiling and hooks, is
        # laid anew around this function by the first optimiser of the class.
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return bare(self, closure)

    functions = {name: inspect.unwrap(getattr(kind, name)) for name in marked}
    return type(kind.__name__, (kind,), {**functions, "step": step, "__module__": __name__})


AdamW = partial(plain(torch.optim.AdamW), fused=True)
SGD = partial(plain(torch.optim.SGD), fused=True)


def rate_schedule(
    optimizer: torch.optim.Optimizer, options: Mapping, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The course of the learning rate over ``steps``, of a ``schedule`` of the config.

    ``options``: ``learning_rate``, the peak; ``schedule``: ``kind``, ``constant`` or
    ``one-cycle`` (Smith and Topin 2018, as torch has it: from peak/25 up within the share
    ``warmup`` of the steps and down to peak/250,000, by cosines, AdamW's β₁ going from 0.95
    to 0.85 and back).
    """
    if options["schedule"]["kind"] == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, options["learning_rate"], steps, pct_start=options["schedule"]["warmup"]
        )
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def clip_gradients(weights: Iterable[torch.Tensor], options: Mapping) -> None:
    """Hold the norm of all gradients together to ``gradient_clip``, unless that is None."""
    if options["gradient_clip"] is not None:
        torch.nn.utils.clip_grad_norm_(weights, options["gradient_clip"])
