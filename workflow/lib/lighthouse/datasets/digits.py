"""scikit-learn's handwritten digits: 1,797 real scans, ten classes, no download.

The test part of the UCI "Optical Recognition of Handwritten Digits" data (Alpaydin
and Kaynak, 1998; 13 writers), 8×8 pixels with 17 grey levels, shipped with
scikit-learn. The split is stratified by class and drawn at random, so the same
writers are in every part.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from lighthouse.datasets.index import ImageIndex
from lighthouse.runtime.files import whole

LICENCE = "CC BY 4.0"
URL = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"
#: Images of each class, 0 to 9.
CLASS_COUNTS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
#: Their names, in label order.
CLASSES = [str(digit) for digit in range(len(CLASS_COUNTS))]


def smallest_class(options: Mapping) -> int:
    """Training images that a stratified split leaves every class at least."""
    return min(CLASS_COUNTS) * options["parts"]["train"] // sum(CLASS_COUNTS)


def check(options: Mapping) -> list[str]:
    """What is wrong with a dataset's options: the parts must add up to all images."""
    problems = [
        f"parts.{part}: {count} images; allowed: at least {len(CLASS_COUNTS)}, one a class"
        for part, count in options["parts"].items()
        if count < len(CLASS_COUNTS)
    ]
    total = sum(options["parts"].values())
    if total != sum(CLASS_COUNTS):
        problems.append(
            f"parts: add up to {total}; allowed: {sum(CLASS_COUNTS)}, the images of the digits"
        )
    return problems


def build(options: Mapping, folder: Path, threads: int = 1) -> None:
    """Write the digits as ``folder/images/<part>/<digit>/<number>.png`` RGB, and the index.

    Pixels are scaled up bicubically to ``options["image_size"]``. One thread does it,
    however many there are.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    parts = split(data.target, options["parts"], options["split_seed"])
    rows = []
    side = options["image_size"]
    with whole(folder / "images") as beside:
        for number, (pixels, label) in enumerate(zip(data.images, data.target, strict=True)):
            name = str(label)
            path = Path(parts[number], name, f"{number:04d}.png")
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            grey = Image.fromarray((pixels * (255 / 16)).round().astype(np.uint8))
            grey.resize((side, side), Image.BICUBIC).convert("RGB").save(beside / path)
            rows.append((parts[number], int(label), name, Path("images", path).as_posix()))
    ImageIndex.write(folder / "index.tsv", rows)


def split(labels: np.ndarray, sizes: Mapping[str, int], seed: int) -> list[str]:
    """Name the part of each image; stratified by class, fixed by ``seed``."""
    from sklearn.model_selection import train_test_split

    everything = np.arange(len(labels))
    train, rest = train_test_split(
        everything, train_size=sizes["train"], stratify=labels, random_state=seed
    )
    val, _ = train_test_split(
        rest, train_size=sizes["val"], stratify=labels[rest], random_state=seed
    )
    parts = np.full(len(labels), "test", dtype=object)
    parts[train], parts[val] = "train", "val"
    return parts.tolist()
