"""Augmentation of a whole batch on its device, each image with draws of its own."""

import math

import torch
from torch import Tensor

#: Aspect ratios of a random crop, as torchvision's RandomResizedCrop has them.
RATIO = (3 / 4, 4 / 3)


def random_resized_crop(images: Tensor, scale: tuple[float, float], rng: torch.Generator) -> Tensor:
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
