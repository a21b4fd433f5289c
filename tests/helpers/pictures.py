"""Small image files for tests."""

from pathlib import Path

import numpy as np
from PIL import Image


def noise(path: Path, side: int = 12, seed: int = 0) -> Path:
    """Write a small image of noise, wider than high."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side + 3, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path
