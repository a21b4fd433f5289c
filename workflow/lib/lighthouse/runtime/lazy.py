"""What libraries load for things that are not used here, loaded by the first who uses it.

Of torch's optimisers, diffusers and torchvision each loads torch's compiler to mark functions as
not to be compiled, and diffusers loads scipy's statistics and integrals for what is not used here.
The compiler takes as long as torch itself, and every job is a new process. The packages of
diffusers' DiT and autoencoder import all other models of their kinds.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
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
    "scipy.integrate": {"__path__": []},
}
#: Packages whose modules are imported from their folders, each alone, without what the packages
#: themselves import: these do so when somebody asks them for a name.
UNENTERED = tuple(f"diffusers.models.{kind}" for kind in ("autoencoders", "transformers", "unets"))


def import_lazily() -> None:
    """Have the modules of ``LAZY`` loaded by the first who needs more than there is of them.

    And so those of ``UNENTERED`` that are installed. Call before torch is imported. What was marked
    until then stays unmarked. Where one of them is loaded already nothing changes.
    """
    if sys.modules.keys() & {*LAZY, *UNENTERED}:
        return
    for name, contents in LAZY.items():
        sys.modules[name] = _Unloaded(name, contents)
    for name in UNENTERED:
        if folders := _folders(name):
            sys.modules[name] = _Unloaded(name, {"__path__": folders})
    sys.meta_path.insert(0, _Parts())


def _folders(package: str) -> list[str]:
    """Where the modules of a package lie, found without an import; nowhere if it is absent."""
    top, *below = package.split(".")
    spec = find_spec(top)
    roots = (spec and spec.submodule_search_locations) or []
    return [str(path) for root in roots if (path := Path(root, *below)).is_dir()]


class _Unloaded(ModuleType):
    """A module in place of a lazy one: any name that it lacks it takes from the real one."""

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
    for lazy in (*LAZY, *UNENTERED):
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
