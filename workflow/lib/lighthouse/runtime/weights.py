"""Pretrained weights that are one file, and where they come from. Imports no torch."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from lighthouse.runtime.contents import sum_of
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import whole


@dataclass(frozen=True)
class Weights:
    """A file on the net.

    sha256: its hash, or as much of its beginning as is published: all of it but of SqueezeNet's,
    whose name alone has 8 digits. key: of the config, where a local copy is named.
    """

    url: str
    sha256: str
    licence: str
    key: str


#: A teacher's, where a protocol asks for torchvision's. Many public projects list the hash,
#: which begins as the file's name ends.
RESNET18 = Weights(
    "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    "BSD-3-Clause",
    "protocols.<name>.teacher.weights",
)


def fetch(weights: Weights, path: Path) -> None:
    """Download a file to ``path``, whole or not at all.

    Raises ``DataError`` where the net does not give it, or gives another file; it says how
    to go on by hand.
    """
    known = weights.sha256 + "…" * (len(weights.sha256) < 64)
    by_hand = f"Get it by hand (sha256 {known}), and name the file in {weights.key}"
    with whole(path) as beside:
        try:
            source = urlopen(weights.url, timeout=60)  # noqa: S310 (an address of ours)
            with source, beside.open("wb") as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            raise DataError(f"no download of {weights.url}: {error}. {by_hand}") from None
        found = sum_of(beside)
        if not found.startswith(weights.sha256):
            raise DataError(f"{weights.url} gave another file (sha256 {found}). {by_hand}")
