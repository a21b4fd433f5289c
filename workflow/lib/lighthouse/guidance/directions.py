"""Directions of latents, at any scale that a number of float32 has."""

import torch
from torch import Tensor

#: Largest numbers whose squares, and sums of these over a latent, float32 holds with all digits.
LEAST, MOST = 1e-15, 1e15
#: By what zeros are divided.
ABOVE_0 = 1e-37


def directions(z: Tensor) -> tuple[Tensor, Tensor]:
    """z_i/‖z_i‖ and ‖z_i‖ of latents (…, N, D): (…, N, D) and (…, N, 1), in float32 at least.

    A latent of zeros has no direction: its vector is zero, and so are its cosines with all others
    and with itself. Its length is said to be infinite, so that what is divided by it is zero.
    NaN of a latent that is not finite.
    """
    exact = z if z.dtype == torch.float64 else z.float()
    unit = unit_of(exact, -1)
    scaled = exact / unit
    length = scaled.norm(dim=-1, keepdim=True)
    length = torch.where(length == 0, torch.inf, length)
    return scaled / length, length * unit


def unit_of(z: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """What to divide numbers by before they are squared: 1 of all ordinary ones, which changes no
    bit. Where the largest along ``dim`` is not between ``LEAST`` and ``MOST`` it is so behind it.
    """
    largest = z.detach().abs().amax(dim, keepdim=True)
    return (largest / largest.clamp(LEAST, MOST)).clamp_min(ABOVE_0)
