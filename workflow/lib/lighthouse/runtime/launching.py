"""How a device is given its work: kernel by kernel, as recorded graphs, or compiled.

A small network's kernels take less time than Python takes to launch them. A graph of them is
launched as one (``graphs``: the same kernels, the same numbers); a compiler makes fewer and longer
ones (``compiled``: the same but for rounding). Either is for work of few shapes that waits for no
number on its way.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lighthouse.runtime.errors import DataError

PLAIN, GRAPHS, COMPILED = "plain", "graphs", "compiled"
#: Calls of a shape before it is recorded: in these libraries choose kernels and take memory.
WARM = 3

#: What a step gives: a tensor, or some by name.
Found = Tensor | dict[str, Tensor]
#: A step of work, of tensors.
Step = Callable[..., Found]


def at_work(launch: str, device: object) -> str:
    """How work is launched on a device where ``launch`` is asked for: a CPU has no graphs."""
    return PLAIN if launch == GRAPHS and torch.device(device).type != "cuda" else launch


def launched(step: Step, launch: str, device: object) -> Step:
    """The step as it is launched: ``graphs`` on an accelerator is ``Replayed``, all else itself."""
    return Replayed(step) if at_work(launch, device) == GRAPHS else step


@contextmanager
def compiled(modules: Iterable[nn.Module], launch: str) -> Iterator[None]:
    """Within it, modules are compiled where ``launch`` says so: at their first call of a kind.

    Of modules with the same code, as a network's blocks, one is compiled for all. Parameters and
    their names stay as they are. Raises ``DataError`` where there is no compiler.
    """
    if launch != COMPILED:
        yield
        return
    _check_compiler()
    modules = list(modules)
    try:
        for module in modules:
            module.compile()
        yield
    finally:
        for module in modules:
            module._compiled_call_impl = None


def _check_compiler() -> None:
    name = os.environ.get("CXX", "g++")
    if shutil.which(name) is None:
        raise DataError(
            f"compute.launch: {COMPILED!r} needs a C++ compiler, and there is no {name}: install "
            f"one, name another in CXX, or set it to {PLAIN!r}"
        )


class Replayed:
    """A step that is recorded once for each shape of its inputs, and then replayed.

    step: of tensors. It waits for no number (no ``.item()``, no ``if`` of a tensor), and what
    else it reads or changes, as weights, gradients, an optimizer's state, a learning rate that
    falls, are tensors that stay where they are: numbers of Python's stay those of the recording.
    The first ``WARM`` calls of a shape are made as they are; recording one does none of its work,
    which the replay behind it does: every call does its work once, so a training's step may be
    one, too. What does not fit into memory fails in the first.
    """

    def __init__(self, step: Step):
        self.step = step
        self.calls: Counter[Hashable] = Counter()
        self.recorded: dict[Hashable, tuple[list[Tensor], Callable[[], None], Found]] = {}
        self.recorder: Recorder | None = None

    def __call__(self, *given: Tensor) -> Found:
        """What the step gives, in memory of its own."""
        self.recorder = self.recorder or Recorder()
        shapes = tuple((x.shape, x.dtype) for x in given)
        if shapes not in self.recorded:
            self.calls[shapes] += 1
            if self.calls[shapes] <= WARM:
                return self.recorder.warm(lambda: self.step(*given))
            places = [x.clone() for x in given]
            self.recorded[shapes] = places, *self.recorder.record(lambda: self.step(*places))
        places, replay, found = self.recorded[shapes]
        for place, x in zip(places, given, strict=True):
            place.copy_(x)
        replay()
        return _each(found, Tensor.clone)


class Recorder:
    """Records work as CUDA graphs, which share memory: they are replayed one after the other."""

    def __init__(self):
        # Work is recorded where it was warmed up: what autograd and libraries keep is of a stream.
        self.stream, self.pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()

    def warm(self, work: Callable[[], Found]) -> Found:
        """Do the work as it is."""
        here = torch.cuda.current_stream()
        self.stream.wait_stream(here)
        with torch.cuda.stream(self.stream):
            found = work()
        here.wait_stream(self.stream)
        # The memory is the other stream's, which must not give it away while it is used here.
        _each(found, lambda x: x.record_stream(here))
        return found

    def record(self, work: Callable[[], Found]) -> tuple[Callable[[], None], Found]:
        """A function that does the work, and where it leaves what it finds. Does nothing yet."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            found = work()
        return graph.replay, found


def _each(found: Found, change: Callable[[Tensor], object]) -> object:
    if isinstance(found, Mapping):
        return {name: change(value) for name, value in found.items()}
    return change(found)
