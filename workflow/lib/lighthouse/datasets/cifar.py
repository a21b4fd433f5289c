"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 60,000 photographs of 32 px, with their own test part.

Both have 50,000 training and 10,000 test images, equally many of each class. Their label
order, of CIFAR-100's fine labels too, is that of the sorted names. Archives, md5 and the
way they are read are torchvision's; sha256 is what Keras and other projects publish.
"""

from lighthouse.datasets.archives import Archive

URL = "https://www.cs.toronto.edu/~kriz/cifar.html"
LICENCE = "none is stated; to be cited is Krizhevsky 2009, Learning Multiple Layers of Features"


def _cifar(n_classes: int, md5: str, sha256: str) -> Archive:
    return Archive(
        url=f"https://www.cs.toronto.edu/~kriz/cifar-{n_classes}-python.tar.gz",
        md5=md5,
        sha256=sha256,
        licence=LICENCE,
        n_classes=n_classes,
        smallest_train=50_000 // n_classes,
        dataset=f"CIFAR{n_classes}",
    )


#: By the name of the source.
SETS = {
    "cifar10": _cifar(
        10,
        "c58f30108f718f92721af3b95e74349a",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    "cifar100": _cifar(
        100,
        "eb9058c3a382ffc7106e4002c42a8d85",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
}
