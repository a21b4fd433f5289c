"""What is known of a dataset that is one archive on the net."""

from dataclasses import dataclass
from pathlib import Path

from lighthouse.datasets.labels import LabelSet
from lighthouse.runtime.contents import sum_of


@dataclass(frozen=True)
class Archive:
    """An archive that becomes ``train/<class>/*`` and ``val/<class>/*`` in a folder of its own.

    md5: the sum that torchvision's download verifies. sha256: what holds against whoever would
    make another archive of that md5; None where no two projects publish the same one.
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
    sha256: str | None = None

    def by_hand(self, folder: Path) -> Path:
        """Where a user may put the archive itself, beside its ``folder``."""
        return folder.parent / self.url.rpartition("/")[2]

    def missing(self, folder: Path) -> list[str]:
        """What keeps the archive from becoming ``folder``, one line each; nothing is downloaded.

        Without a file of its name beside the folder there will be a download.
        """
        file = self.by_hand(folder)
        return [] if folder.is_dir() or not file.is_file() else self.wrong(file)

    def wrong(self, file: Path) -> list[str]:
        """Which of its sums a file has not, one line each."""
        sums = {"md5": self.md5, "sha256": self.sha256}
        return [
            f"{file}: its {kind} is {found}, not {wanted}; get {self.url} anew, or remove the "
            "file for a download"
            for kind, wanted in sums.items()
            if wanted and (found := sum_of(file, kind)) != wanted
        ]
