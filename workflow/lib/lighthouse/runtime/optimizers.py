"""torch's optimisers without its compiler, which each of them loads though nothing is compiled.

``import torch._dynamo`` takes as long as ``import torch``, and a student of the digits trains no
longer than that. torch loads it to mark an optimiser's functions as not to be compiled; here
they are taken without the mark, and their arithmetic is torch's own.
"""

import inspect

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


AdamW = plain(torch.optim.AdamW)
SGD = plain(torch.optim.SGD)
