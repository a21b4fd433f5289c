"""Augmentation of a whole batch on its device, each image with draws of its own.

A batch is that of one student or of several: ``rngs`` has a CPU generator for each, and the
images stand one student after the other, equally many each. A student draws what it would
draw alone; what is switched off draws nothing. Sources of the recipe: the public code of
MiniMax Diffusion (vimar-gu/MinimaxDiffusion) and of RDED.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

#: Aspect ratios of a random crop, as torchvision's RandomResizedCrop has them.
RATIO = (3 / 4, 4 / 3)
#: Share of red, green and blue in grey (ITU-R BT.601).
GREY = (0.299, 0.587, 0.114)
#: ImageNet's colours in 0…1: eigenvalues of their covariance (standard deviations, as
#: used), and eigenvectors as columns. Krizhevsky et al., 2012, in the field's rounding.
EIGENVALUES = (0.2175, 0.0188, 0.0045)
EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
HALF = (0.5, 0.5, 0.5)

#: A generator for each student of a batch; None is torch's global one.
Generators = Sequence[torch.Generator | None]


def normalise(images: Tensor, mean: Sequence[float] = HALF, std: Sequence[float] = HALF) -> Tensor:
    """uint8 (n, 3, H, W) to float: (x/255 − mean) / std. By default in [-1, 1]."""
    scale = _colour([255 * s for s in std], images)
    shift = _colour([m / s for m, s in zip(mean, std, strict=True)], images)
    return images.float() / scale - shift


def _colour(values: Sequence[float], images: Tensor) -> Tensor:
    """A number a colour, to compute with images (n, 3, H, W)."""
    return _beside(torch.tensor(values, dtype=torch.float32).view(3, 1, 1), images)


def _beside(drawn: Tensor, images: Tensor) -> Tensor:
    """A small tensor of the CPU on the images' device, which is not waited for."""
    return drawn.to(images.device, non_blocking=True)


def _draws(
    images: Tensor,
    rngs: Generators,
    draw: Callable[[int, torch.Generator | None], Tensor],
    dim: int = 0,
) -> Tensor:
    """``draw(n, rng)`` for the n images of each student, along ``dim``, on the images' device."""
    each = len(images) // len(rngs)
    return _beside(torch.cat([draw(each, rng) for rng in rngs], dim), images)


def augment(images: Tensor, protocol: Mapping, rngs: Generators) -> Tensor:
    """uint8 (n, 3, H, W) to normalised float: crop, flip, jitter, lighting, as configured.

    Crop and flip do the same before and after the normalisation; jitter and lighting
    work in 0…1 and, as in the peers' code, do not clip.
    """
    options, mean, std = protocol["augment"], protocol["mean"], protocol["std"]
    images = normalise(images, mean, std)
    if options["crop_scale"]:
        images = random_resized_crop(images, options["crop_scale"], rngs)
    if options["flip"]:
        images = random_flip(images, rngs)
    if options["jitter"] or options["lighting"]:
        images = images * _colour(std, images) + _colour(mean, images)
        if options["jitter"]:
            images = colour_jitter(images, options["jitter"], rngs)
        if options["lighting"]:
            images = lighting(images, options["lighting"], rngs)
        images = (images - _colour(mean, images)) / _colour(std, images)
    return images


def random_resized_crop(images: Tensor, scale: Sequence[float], rngs: Generators) -> Tensor:
    """Cut a box of ``scale`` of the area out of each image and scale it back up.

    images: (n, 3, H, W) float. Area uniform in ``scale``, aspect log-uniform in RATIO,
    clipped to the image; bilinear.
    """
    area, aspect, left, top = _draws(
        images, rngs, lambda n, rng: torch.rand(4, n, generator=rng), dim=1
    )
    area = scale[0] + area * (scale[1] - scale[0])
    aspect = torch.exp(math.log(RATIO[0]) + aspect * math.log(RATIO[1] / RATIO[0]))
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    theta = images.new_zeros(len(images), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = width, height
    theta[:, 0, 2] = (2 * left - 1) * (1 - width)
    theta[:, 1, 2] = (2 * top - 1) * (1 - height)
    grid = torch.nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(
        images, grid, padding_mode="reflection", align_corners=False
    )


def random_flip(images: Tensor, rngs: Generators) -> Tensor:
    """Mirror each image left to right with probability one half."""
    mirrored = _draws(images, rngs, lambda n, rng: torch.rand(n, generator=rng)) < 0.5
    return torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)


def colour_jitter(images: Tensor, strength: float, rngs: Generators) -> Tensor:
    """Scale brightness, contrast and saturation of each image by factors in 1 ± strength.

    images: (n, 3, H, W) float in 0…1. Brightness scales all values, contrast the distance
    from the image's mean grey, saturation that from each pixel's grey. The peers apply
    the three in random order; without clipping they are linear and commute, so the order
    changes nothing.
    """
    drawn = _draws(images, rngs, lambda n, rng: torch.rand(3, n, generator=rng), dim=1)
    brightness, contrast, saturation = (1 + strength * (2 * drawn - 1)).view(3, -1, 1, 1, 1)
    grey = (images * _colour(GREY, images)).sum(1, keepdim=True)
    mean = grey.mean((2, 3), keepdim=True)
    images = torch.lerp(grey, images, saturation)
    return brightness * torch.lerp(mean, images, contrast)


def lighting(images: Tensor, strength: float, rngs: Generators) -> Tensor:
    """Add to each image a random colour along ImageNet's principal ones (Krizhevsky et al.).

    images: (n, 3, H, W) float in 0…1. The colour is Σ_k α_k λ_k p_k, α_k normal with
    standard deviation ``strength``.
    """
    along = torch.tensor(EIGENVALUES), torch.tensor(EIGENVECTORS).T

    def colours(n: int, rng: torch.Generator | None) -> Tensor:
        return strength * torch.randn(n, 3, generator=rng) * along[0] @ along[1]

    return images + _draws(images, rngs, colours).view(-1, 3, 1, 1)


def cutmix(images: Tensor, rngs: Generators) -> tuple[Tensor, Tensor, Tensor]:
    """Paste into each image the same box of another one of its student's (Yun et al., 2019).

    images: (k·n, 3, H, W) of k students. One box a student and batch: λ ~ Beta(1, 1), sides
    √(1−λ) of the image's, its centre uniform, clipped at the border. Returns the mixed
    images; each one's partner, a position among all, (k·n,), for each student a permutation
    of its own; and the shares of the area that stay an image's own and that are its
    partner's, (k, 2).
    """
    height, width = images.shape[-2:]
    each = len(images) // len(rngs)
    boxes, partners, shares = [], [], []
    for student, rng in enumerate(rngs):
        side = math.sqrt(1 - torch.rand((), generator=rng).item())
        (top, bottom), (left, right) = _span(height, side, rng), _span(width, side, rng)
        partners.append(student * each + torch.randperm(each, generator=rng))
        boxes.append((top, bottom, left, right))
        kept = 1 - (bottom - top) * (right - left) / (height * width)
        shares.append((kept, 1 - kept))
    partner = _beside(torch.cat(partners), images)
    box = _beside(torch.tensor(boxes).T.reshape(4, -1, 1, 1, 1, 1), images)
    row = torch.arange(height, device=images.device).view(-1, 1)
    column = torch.arange(width, device=images.device)
    inside = (box[0] <= row) & (row < box[1]) & (box[2] <= column) & (column < box[3])
    by_student = (len(rngs), each)
    pasted, own = images[partner].unflatten(0, by_student), images.unflatten(0, by_student)
    mixed = torch.where(inside, pasted, own).flatten(0, 1)
    return mixed, partner, _beside(torch.tensor(shares), images)


def _span(length: int, share: float, rng: torch.Generator | None) -> tuple[int, int]:
    """Where a random span begins, and where it ends."""
    half = int(length * share) // 2
    centre = int(torch.randint(length, (), generator=rng))
    return max(centre - half, 0), min(centre + half, length)
