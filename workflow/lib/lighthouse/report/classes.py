"""How classes are called where people read of them."""

from lighthouse.datasets.labels import LABELS

_NAMES = {entry.wnid: entry.name for labels in LABELS.values() for entry in labels.classes}


def spoken(name: str) -> str:
    """A class as readers know it: the English name of a wnid; of any other its own name."""
    return _NAMES.get(name, f"class {name}")
