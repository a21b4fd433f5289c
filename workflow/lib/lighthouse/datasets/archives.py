"""What is known of a dataset that is one archive on the net."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lighthouse.datasets.labels import LabelSet


@dataclass(frozen=True)
class Archive:
    """An archive that becomes ``train/<class>/*`` and ``val/<class>/*`` in a folder of its own.

    n_classes, smallest_train: its classes, and the images of the smallest of them in
    ``train``, counted. labels: the classes and their order; None where they are the names of
    its folders, sorted. dataset: the class of ``torchvision.datasets`` that reads it, whose
    images are written as files; None where it holds ``<folder's name>/train/<class>/*`` and
    ``val``.
    """

    url: str
    md5: str
    licence: str
    n_classes: int
    smallest_train: int
    labels: LabelSet | None = None
    dataset: str | None = None

    def by_hand(self, folder: Path) -> Path:
        """Where a user may put the archive itself, beside its ``folder``."""
        return folder.parent / self.url.rpartition("/")[2]

    def missing(self, folder: Path) -> list[str]:
        """What keeps the archive from becoming ``folder``, one line each; nothing is downloaded.

        Without a file of its name beside the folder there will be a download.
        """
        file = self.by_hand(folder)
        if folder.is_dir() or not file.is_file():
            return []
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "md5").hexdigest()
        if found == self.md5:
            return []
        return [
            f"{file}: its md5 is {found}, not {self.md5}; get {self.url} anew, or remove the "
            "file for a download"
        ]
