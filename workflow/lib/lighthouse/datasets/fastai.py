"""fastai's ImageNette and ImageWoof: ten easy and ten hard classes of ImageNet, as archives.

These are a split of fastai's own: imagewoof2 has 9,025 training and 3,929 validation
images, while ImageNet's folders of the same classes, which papers use under the name
ImageWoof, have 12,454 and 500. The source ``imagenet`` reads those.
"""

from lighthouse.datasets.archives import Archive
from lighthouse.datasets.labels import LABELS, LICENCE

URL = "https://github.com/fastai/imagenette"


def _edition(name: str, md5: str, sha256: str | None = None) -> Archive:
    classes, smallest = ("imagewoof", 580) if "woof" in name else ("imagenette", 858)
    return Archive(
        url=f"https://s3.amazonaws.com/fast-ai-imageclas/{name}.tgz",
        md5=md5,
        sha256=sha256,
        licence=LICENCE,
        n_classes=LABELS[classes].n_classes,
        smallest_train=smallest,
        labels=LABELS[classes],
    )


# ImageNette's sums are torchvision's (datasets.Imagenette). Those of ImageWoof are the ones
# that public code lists beside the very same ImageNette sums (three projects agree). The
# archives were exchanged before: older sums circulate for both, fastai's own checks.txt
# among them. The sha256 of ImageNette's are what several projects verify (anomalib and FastAI.jl
# among them); of ImageWoof's no two agree on what belongs to these md5.
EDITIONS = {
    name: _edition(name, *sums)
    for name, *sums in (
        (
            "imagenette2",
            "fe2fc210e6bb7c5664d602c3cd71e612",
            "6cbfac238434d89fe99e651496f0812ebc7a10fa62bd42d6874042bf01de4efd",
        ),
        (
            "imagenette2-320",
            "3df6f0d01a2c9592104656642f5e78a3",
            "569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c",
        ),
        (
            "imagenette2-160",
            "e793b78cc4c9e9a4ccc0c1155377a412",
            "64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5",
        ),
        ("imagewoof2", "9aafe18bcdb1632c4249a76c458465ba"),
        ("imagewoof2-320", "0f46d997ec2264e97609196c95897a44"),
        ("imagewoof2-160", "3d200a7be99704a0d7509be2a9fbfe15"),
    )
}
