"""Augmentation of a whole batch on its device, each image with draws of its own.

Draws come from a CPU generator; what is switched off draws nothing. Sources of the
recipe: the public code of MiniMax Diffusion (vimar-gu/MinimaxDiffusion) and of RDED.
"""

import math
from collections.abc import Mapping, Sequence

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


def normalise(images: Tensor, mean: Sequence[float] = HALF, std: Sequence[float] = HALF) -> Tensor:
    """uint8 (n, 3, H, W) to float: (x/255 − mean) / std. By default in [-1, 1]."""
    scale = _colour([255 * s for s in std], images)
    shift = _colour([m / s for m, s in zip(mean, std, strict=True)], images)
    return images.float() / scale - shift


def _colour(values: Sequence[float], images: Tensor) -> Tensor:
    """A number a colour, to compute with images (n, 3, H, W)."""
    return torch.tensor(values, dtype=torch.float32, device=images.device).view(3, 1, 1)


def augment(images: Tensor, protocol: Mapping, rng: torch.Generator) -> Tensor:
    """uint8 (n, 3, H, W) to normalised float: crop, flip, jitter, lighting, as configured.

    Crop and flip do the same before and after the normalisation; jitter and lighting
    work in 0…1 and, as in the peers' code, do not clip.
    """
    options, mean, std = protocol["augment"], protocol["mean"], protocol["std"]
    images = normalise(images, mean, std)
    if options["crop_scale"]:
        images = random_resized_crop(images, options["crop_scale"], rng)
    if options["flip"]:
        images = random_flip(images, rng)
    if options["jitter"] or options["lighting"]:
        images = images * _colour(std, images) + _colour(mean, images)
        if options["jitter"]:
            images = colour_jitter(images, options["jitter"], rng)
        if options["lighting"]:
            images = lighting(images, options["lighting"], rng)
        images = (images - _colour(mean, images)) / _colour(std, images)
    return images


def random_resized_crop(images: Tensor, scale: Sequence[float], rng: torch.Generator) -> Tensor:
    """Cut a box of ``scale`` of the area out of each image and scale it back up.

    images: (n, 3, H, W) float. Area uniform in ``scale``, aspect log-uniform in RATIO,
    clipped to the image; bilinear.
    """
    n = len(images)
    area, aspect, left, top = torch.rand(4, n, generator=rng).to(images.device)
    area = scale[0] + area * (scale[1] - scale[0])
    aspect = torch.exp(math.log(RATIO[0]) + aspect * math.log(RATIO[1] / RATIO[0]))
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    theta = images.new_zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = width, height
    theta[:, 0, 2] = (2 * left - 1) * (1 - width)
    theta[:, 1, 2] = (2 * top - 1) * (1 - height)
    grid = torch.nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(
        images, grid, padding_mode="reflection", align_corners=False
    )


def random_flip(images: Tensor, rng: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability one half."""
    mirrored = torch.rand(len(images), generator=rng).to(images.device) < 0.5
    return torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)


def colour_jitter(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Scale brightness, contrast and saturation of each image by factors in 1 ± strength.

    images: (n, 3, H, W) float in 0…1. Brightness scales all values, contrast the distance
    from the image's mean grey, saturation that from each pixel's grey. The peers apply
    the three in random order; without clipping they are linear and commute, so the order
    changes nothing.
    """
    factors = 1 + strength * (2 * torch.rand(3, len(images), generator=rng) - 1)
    brightness, contrast, saturation = factors.to(images.device).view(3, -1, 1, 1, 1)
    grey = (images * _colour(GREY, images)).sum(1, keepdim=True)
    mean = grey.mean((2, 3), keepdim=True)
    images = torch.lerp(grey, images, saturation)
    return brightness * torch.lerp(mean, images, contrast)


def lighting(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Add to each image a random colour along ImageNet's principal ones (Krizhevsky et al.).

    images: (n, 3, H, W) float in 0…1. The colour is Σ_k α_k λ_k p_k, α_k normal with
    standard deviation ``strength``.
    """
    alpha = strength * torch.randn(len(images), 3, generator=rng)
    colours = alpha * torch.tensor(EIGENVALUES) @ torch.tensor(EIGENVECTORS).T
    return images + colours.to(images.device).view(-1, 3, 1, 1)


def cutmix(images: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, float]:
    """Paste into each image the same box of another one of the batch (Yun et al., 2019).

    images: (n, 3, H, W). One box a batch: λ ~ Beta(1, 1), sides √(1−λ) of the image's, its
    centre uniform, clipped at the border. Returns the mixed images; each one's partner,
    (n,), one permutation; and the share of the area that stays the image's own.
    """
    height, width = images.shape[-2:]
    side = math.sqrt(1 - torch.rand((), generator=rng).item())
    rows, columns = _span(height, side, rng), _span(width, side, rng)
    partners = torch.randperm(len(images), generator=rng).to(images.device)
    mixed = images.clone()
    mixed[..., rows, columns] = images[partners][..., rows, columns]
    pasted = (rows.stop - rows.start) * (columns.stop - columns.start)
    return mixed, partners, 1 - pasted / (height * width)


def _span(length: int, share: float, rng: torch.Generator) -> slice:
    half = int(length * share) // 2
    centre = int(torch.randint(length, (), generator=rng))
    return slice(max(centre - half, 0), min(centre + half, length))
