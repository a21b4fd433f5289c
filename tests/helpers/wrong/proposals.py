"""Arguments of ``lighthouse.new``, which proposes a study for a folder of images."""

from collections.abc import Mapping
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from lighthouse import new

SIDE = 24


def told(entry: Mapping, folder: Path) -> str:
    """What is said of ``arguments`` behind a name, on a machine without a GPU.

    Unless they say another, the images are ``images``: as many of each class as ``counts`` says.
    name: in place of ``birds``. file: an empty one that is there.
    """
    rng = np.random.default_rng(0)
    for label, count in enumerate(entry.get("counts", [8, 8])):
        place = folder / "images" / f"class{label}"
        place.mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.png")
    if "file" in entry:
        (folder / entry["file"]).touch()
    before = sorted(folder.rglob("*"))
    arguments = [str(word) for word in entry.get("arguments", [])]
    if "--images" not in arguments:
        arguments += ["--images", "images"]
    said = StringIO()
    with chdir(folder), redirect_stdout(said), patch.object(new, "visible_devices", lambda _: []):
        assert new.main([entry.get("name", "birds"), *arguments]) == 1
    assert sorted(folder.rglob("*")) == before
    return said.getvalue()
