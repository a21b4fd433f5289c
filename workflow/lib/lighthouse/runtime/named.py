"""Functions by name: what a job uses is loaded where it is used, and nothing else is."""

from importlib import import_module


def load(name: str) -> object:
    """What ``module:attribute`` names.

    Raises ``ImportError`` or ``AttributeError`` where there is no such thing.
    """
    module, attribute = name.split(":")
    return getattr(import_module(module), attribute)
