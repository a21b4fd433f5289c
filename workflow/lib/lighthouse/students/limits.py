"""What a network or a teacher can be asked for. No torch: configs are checked with it."""

from collections.abc import Mapping

from lighthouse.runtime.errors import DataError

#: Most real images that a network is trained on: they are held in memory.
MOST_IMAGES = 100_000

#: Residual blocks in each of the four stages, by depth.
STAGES = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2)}

#: ImageNet's colours, which torchvision's pretrained weights expect.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def stem_size(image_size: int) -> str:
    """Which first layers a ResNet has for images of a size in pixels, as in the peers' code."""
    return "small" if image_size <= 64 else "middle" if image_size <= 128 else "large"


def network_problem(options: Mapping, size: int) -> str | None:
    """What keeps a network from learning from images of ``size`` pixels a side; None if nothing.

    options: an entry of the config's ``students``; of one that lacks a key, nothing is told.
    """
    depth = options["depth"]
    if options["network"] == "convnet":
        most = size.bit_length() - 1
        if depth > most:
            return f"{depth} halvings leave nothing of {size} px; allowed: depth at most {most}"
        return None
    if options["network"] == "vit":
        return _vit_problem(options, size)
    if depth not in STAGES:
        return f"depth {depth} is not known; allowed: {', '.join(map(str, STAGES))}"
    # Instance norm makes one number of one pixel, the same for every image: the last
    # maps must be larger.
    pooled = options["network"] == "resnet-ap"
    least = 16 if pooled else 9 if options.get("norm") == "instance" else 1
    if size < least:
        return f"its last maps are a single pixel at {size} px; allowed: at least {least} px"
    return None


def _vit_problem(options: Mapping, size: int) -> str | None:
    sizes = ("patch", "width", "heads")
    if not options.keys() >= set(sizes):
        return None  # each entry of `students` is told what it lacks
    patch, width, heads = (options[key] for key in sizes)
    if size % patch:
        return f"patches of {patch} px do not divide {size} px; allowed: {_divisors(size)}"
    if width % heads:
        return f"{heads} heads do not divide the width {width}; allowed: {_divisors(width)}"
    return None


def _divisors(number: int) -> str:
    return ", ".join(str(n) for n in range(1, number + 1) if number % n == 0)


def teacher_problem(protocol: Mapping, network: Mapping) -> str | None:
    """What keeps torchvision's weights from being the teacher of ``protocol``; None if nothing.

    network: options of the teacher's network. Other teachers have no such problem.
    """
    if protocol["teacher"]["weights"] != "torchvision":
        return None
    if (network["network"], network["depth"], network.get("norm")) != ("resnet", 18, "batch"):
        return "torchvision's weights are of a resnet of depth 18 with batch norm"
    if (tuple(protocol["mean"]), tuple(protocol["std"])) != (IMAGENET_MEAN, IMAGENET_STD):
        return (
            f"torchvision's weights expect mean {list(IMAGENET_MEAN)} and std {list(IMAGENET_STD)}"
        )
    if protocol["size"] is not None and stem_size(protocol["size"]) != "large":
        return "torchvision's weights are for images of more than 128 px"
    return None


def check_size(n_images: int, what: str, instead: str) -> None:
    """Raise ``DataError`` where ``what`` would be trained on more than ``MOST_IMAGES``.

    instead: what the user can do.
    """
    if n_images > MOST_IMAGES:
        raise DataError(
            f"{what} is not trained on {n_images} images here, at most on {MOST_IMAGES}; {instead}"
        )
