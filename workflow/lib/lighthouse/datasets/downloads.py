"""Archives on the net: downloaded, verified, laid out as class folders below ``downloads``."""

import socket
import tarfile
from pathlib import Path

from lighthouse.datasets import cifar, fastai
from lighthouse.datasets.archives import Archive
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import whole, workroom
from lighthouse.runtime.job import log, progress

#: All of them, by their folder below ``downloads``.
ARCHIVES: dict[str, Archive] = {
    **{f"fastai/{name}": edition for name, edition in fastai.EDITIONS.items()},
    **{f"cifar/{name}": archive for name, archive in cifar.SETS.items()},
}
#: Seconds without an answer after which a download is given up.
TIMEOUT = 60


def download(archive: Archive, folder: Path) -> bool:
    """Download an archive and lay it out in ``folder``, whole or not at all.

    Uses torchvision's download, which verifies the checksum; an archive that lies beside the
    folder already is verified and taken. A folder that is there already, made by hand say, is
    left as it is; returns whether the archive was verified here. Raises ``DataError`` with
    what to do by hand where the archive cannot be had.
    """
    if folder.is_dir():
        log.info("%s is there already: nothing to download", folder)
        return False
    if problems := archive.missing(folder):
        raise DataError("\n".join(problems))
    with workroom(folder) as room:
        given, unpacked, made = archive.by_hand(folder), room / "unpacked", folder.name
        file = given if given.is_file() else _fetched(archive, folder, room)
        try:
            with tarfile.open(file) as tar:
                tar.extractall(unpacked, filter="data")  # no links out of it, no devices, no ".."
        except tarfile.TarError as error:
            raise DataError(f"{given}: cannot be unpacked: {error}; get it anew") from None
        if archive.dataset:
            _write_images(archive.dataset, unpacked, unpacked / made)
        with whole(folder) as beside:
            (unpacked / made).replace(beside)
    return True


def _fetched(archive: Archive, folder: Path, beside: Path) -> Path:
    """The archive's file, downloaded to the folder ``beside``."""
    from torchvision.datasets.utils import download_url

    file = archive.by_hand(folder)
    socket.setdefaulttimeout(TIMEOUT)
    try:
        download_url(archive.url, beside, file.name, archive.md5)
        if wrong := archive.wrong(beside / file.name):
            raise OSError(wrong[0].partition(": ")[2])
    except (OSError, RuntimeError) as error:  # no network; another checksum
        raise DataError(
            f"{folder.name} could not be downloaded: {error}\n"
            f"By hand: get {archive.url} (md5 {archive.md5}) and put it, as it is, to\n"
            f"  {file}\n"
            "then run again"
        ) from None
    return beside / file.name


def _write_images(dataset: str, root: Path, folder: Path) -> None:
    """Write the images of one of torchvision's datasets as ``folder/<part>/<class>/<number>.png``.

    dataset: its class, which finds what was unpacked below ``root``. The number is an image's
    place in its part, from 0. Such a class unpickles files, but none whose md5 is not
    in its own table: it holds the archive's files and looks at each before it reads any.
    """
    from torchvision import datasets

    for part, train in (("train", True), ("val", False)):
        images = getattr(datasets, dataset)(root, train=train)
        for name in images.classes:
            (folder / part / name).mkdir(parents=True)
        for number, (image, label) in enumerate(progress(images, part, len(images), "images")):
            image.save(folder / part / images.classes[label] / f"{number:05d}.png")
