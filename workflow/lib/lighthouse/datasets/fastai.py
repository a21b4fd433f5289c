"""fastai's ImageNette and ImageWoof: ten easy and ten hard classes of ImageNet, as archives.

These are a split of fastai's own: imagewoof2 has 9,025 training and 3,929 validation
images, while ImageNet's folders of the same classes, which papers use under the name
ImageWoof, have 12,454 and 500. The source ``imagenet`` reads those.
"""

import socket
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.job import log

#: Seconds without an answer after which a download is given up.
TIMEOUT = 60


@dataclass(frozen=True)
class Edition:
    """An archive ``<name>.tgz``, which holds ``<name>/train/<wnid>/*`` and ``<name>/val``.

    classes: the name of its label set. smallest_train: images of the smallest class in
    ``train``, counted.
    """

    classes: str
    url: str
    md5: str
    smallest_train: int


def _edition(name: str, md5: str) -> Edition:
    classes, smallest = ("imagewoof", 580) if "woof" in name else ("imagenette", 858)
    url = f"https://s3.amazonaws.com/fast-ai-imageclas/{name}.tgz"
    return Edition(classes, url, md5, smallest)


# ImageNette's sums are torchvision's (datasets.Imagenette). Those of ImageWoof are the ones
# that public code lists beside the very same ImageNette sums (three projects agree). The
# archives were exchanged before: older sums circulate for both, fastai's own checks.txt
# among them.
EDITIONS = {
    name: _edition(name, md5)
    for name, md5 in (
        ("imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612"),
        ("imagenette2-320", "3df6f0d01a2c9592104656642f5e78a3"),
        ("imagenette2-160", "e793b78cc4c9e9a4ccc0c1155377a412"),
        ("imagewoof2", "9aafe18bcdb1632c4249a76c458465ba"),
        ("imagewoof2-320", "0f46d997ec2264e97609196c95897a44"),
        ("imagewoof2-160", "3d200a7be99704a0d7509be2a9fbfe15"),
    )
}


def download(name: str, folder: Path) -> bool:
    """Download an edition and unpack it to ``folder``, whole or not at all.

    Uses the function behind torchvision's ``datasets.Imagenette``, which verifies the
    checksum. A folder that is there already, unpacked by hand say, is left as it is;
    returns whether it was downloaded, and so verified, here. Raises ``DataError`` with
    what to do by hand where the archive cannot be had.
    """
    if folder.is_dir():
        log.info("%s is there already: nothing to download", folder)
        return False
    from torchvision.datasets.utils import download_and_extract_archive

    edition = EDITIONS[name]
    folder.parent.mkdir(parents=True, exist_ok=True)
    socket.setdefaulttimeout(TIMEOUT)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{name}.") as beside:
        try:
            download_and_extract_archive(edition.url, beside, md5=edition.md5)
        except (OSError, RuntimeError) as error:  # no network; another checksum
            raise DataError(
                f"{name} could not be downloaded: {error}\n"
                f"By hand: get {edition.url} (md5 {edition.md5}) and unpack it with\n"
                f"  mkdir -p {folder.parent} && tar xzf {name}.tgz -C {folder.parent}\n"
                f"so that {folder} holds train/ and val/; then run again"
            ) from None
        Path(beside, name).replace(folder)
    return True
