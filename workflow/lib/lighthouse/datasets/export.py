"""A distilled set as files that any training script reads."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import whole, write_json


def write_class_folders(
    folder: Path, sets: Mapping[str, np.ndarray], about: Mapping, card: str | None = None
) -> None:
    """Write ``folder/<set>/<class>/<index>.png`` and ``folder/metadata.json``.

    sets: images (C, N, 3, H, W) uint8 by name; ``about["classes"]``: C class names in
    label order. Each set's folder loads with torchvision's ImageFolder. card: the text of
    ``folder/README.md``; none is written without. Whole or not at all. Raises ``DataError`` at a
    name that is no folder's, and would lead elsewhere.
    """
    if strange := [name for name in [*sets, *about["classes"]] if not _is_folder_name(name)]:
        raise DataError(f"{folder}: no name of a folder: {', '.join(map(repr, strange))}")
    with whole(folder) as beside:
        for key, images in sets.items():
            for name, members in zip(about["classes"], images, strict=True):
                target = beside / key / name
                target.mkdir(parents=True)
                for number, pixels in enumerate(members):
                    Image.fromarray(pixels.transpose(1, 2, 0)).save(target / f"{number:05d}.png")
        write_json(beside / "metadata.json", about)
        if card is not None:
            (beside / "README.md").write_text(card, encoding="utf-8")


def handed_on(about: object) -> object:
    """The same without folders of this machine: of an absolute path its last name alone."""
    if isinstance(about, Mapping):
        return {key: handed_on(value) for key, value in about.items()}
    if isinstance(about, list):
        return [handed_on(value) for value in about]
    return Path(about).name if isinstance(about, str) and about.startswith("/") else about


def _is_folder_name(name: str) -> bool:
    return name not in ("", ".", "..") and not set(name) & set("/\0")
