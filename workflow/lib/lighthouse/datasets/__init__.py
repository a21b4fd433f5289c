"""Real images: sources, labels, the split, and the index through which all stages read them."""

from lighthouse.datasets.index import PARTS, ImageIndex

__all__ = ["PARTS", "ImageIndex"]
