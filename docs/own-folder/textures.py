"""A small folder of real images to try Lighthouse on: ``python textures.py FOLDER``.

Cuts tiles out of four photographs that scikit-image ships: brick and gravel (CC0Textures),
grass (linolafett), all CC0, and the Hubble Deep Field (NASA, public domain). ``train`` is
from the left of each, ``val`` from the right: no pixel is in both.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

SIDE = 48


def tiles(photo: np.ndarray, step: int) -> list[np.ndarray]:
    """Square tiles of ``SIDE`` pixels, ``step`` apart."""
    rows = range(0, photo.shape[0] - SIDE + 1, step)
    columns = range(0, photo.shape[1] - SIDE + 1, step)
    return [photo[top : top + SIDE, left : left + SIDE] for top in rows for left in columns]


def main(folder: Path) -> None:
    """Write ``folder/train/<class>/*.png`` and ``folder/val/<class>/*.png``."""
    photos = {
        "brick": data.brick(),
        "grass": data.grass(),
        "gravel": data.gravel(),
        "stars": data.hubble_deep_field()[:512, :512],
    }
    for name, photo in photos.items():
        for part, side, step in (("train", photo[:, :336], 16), ("val", photo[:, 336:], 32)):
            target = folder / part / name
            target.mkdir(parents=True, exist_ok=True)
            for number, tile in enumerate(tiles(side, step)):
                Image.fromarray(tile).save(target / f"{number:04d}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
