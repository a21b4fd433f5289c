"""What libraries load for things that are not used here, loaded by the first who uses it.

Of torch's optimisers, diffusers and torchvision each loads torch's compiler to mark functions as
not to be compiled, and diffusers loads scipy's statistics for models that are not used here. The
compiler takes as long as torch itself, and every job is a new process.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def unmarked(function: object = None, *_: object, **__: object) -> object:
    """A decorator, with or without arguments, that leaves a function as it is."""
    return unmarked if function is None else function


#: The modules that are loaded late, and what is there of each before.
LAZY: dict[str, dict] = {
    "torch._dynamo": {
        "__path__": [],
        "disable": unmarked,
        "allow_in_graph": unmarked,
        "graph_break": lambda: None,
    },
    "torch._dynamo.utils": {"is_compile_supported": lambda device: False},
    "scipy.stats": {"__path__": []},
}


def import_lazily() -> None:
    """Have the modules of ``LAZY`` loaded by the first who needs more than there is of them.

    Call before torch is imported. What was marked until then stays unmarked. Where one of them
    is loaded already nothing changes.
    """
    if sys.modules.keys() & LAZY.keys():
        return
    for name, contents in LAZY.items():
        sys.modules[name] = _Unloaded(name, contents)
    sys.meta_path.insert(0, _Parts())


class _Unloaded(ModuleType):
    """A module in place of one of ``LAZY``: any name that it lacks it takes from the real one."""

    def __init__(self, name: str, contents: dict):
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None, is_package="__path__" in contents)
        vars(self).update(contents)

    def __getattr__(self, name: str) -> object:
        # ``inspect`` asks every module for its ``__file__``.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_load(self.__name__), name)


def _load(name: str) -> ModuleType:
    """The real module of that name. From here on nothing is lazy."""
    for lazy in LAZY:
        if isinstance(sys.modules.get(lazy), _Unloaded):
            del sys.modules[lazy]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Parts)]
    return importlib.import_module(name)


class _Parts(MetaPathFinder, Loader):
    """The import of a module below one of ``LAZY``, whose real package has it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """Of a module below one of ``LAZY`` a spec that this loads, of others None."""
        return ModuleSpec(name, self) if name.rpartition(".")[0] in LAZY else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The real module, executed already."""
        module = _load(spec.name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back, which the import machinery has replaced."""
        module.__spec__ = self._spec
