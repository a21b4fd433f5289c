"""Support points: latents that stand for the real ones of their class under the energy distance.

For real latents x_j, n of them, and a set of N points z_i (Mak and Joseph, Annals of Statistics
2018, Definition 2; the term of the real ones alone, which no point moves, left out):

    E = 2/(N·n) Σ_ij ‖z_i - x_j‖ - 1/N² Σ_ik ‖z_i - z_k‖

No other distribution's points have a lower E than its own, as N grows. N/2 times the gradient by
z_i is a pull and a push of bounded length, without a kernel or a width to choose:

    d_i = 1/n Σ_j (z_i - x_j)/‖z_i - x_j‖ - 1/N Σ_{k≠i} (z_i - z_k)/‖z_i - z_k‖

As guidance of a sampler it is ours: M guides by DPP and mean.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lighthouse.guidance.context import Context
from lighthouse.guidance.directions import MOST, unit_of
from lighthouse.guidance.state import State
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.tally import Tally

#: Points whose distances from all others are held at once.
BLOCK = 256
#: Below this distance, relative to the points' own lengths, two points are one: it is what
#: rounding leaves between a latent and itself in products of float32.
SAME = 3e-3
#: A settled set moves by less than this share of R in a step, or has moved so often.
SETTLED, ITERATIONS = 1e-3, 500


def energy(z: Tensor, real: Tensor) -> Tensor:
    """E of latents (…, N, D) among real ones (n, D): (…)."""
    return 2 * torch.cdist(z, real).mean((-2, -1)) - torch.cdist(z, z).mean((-2, -1))


@dataclass(frozen=True)
class Cloud:
    """Real latents of a class around their mean, where products of matrices round least.

    middle: (D,). points: (n, D), less the middle. squares: of their lengths, (n,). spread: R, their
    mean length, which is the unit of a step: 0 of one image, or of equal ones, whose class a
    guided latent is then not moved towards.
    """

    middle: Tensor
    points: Tensor
    squares: Tensor
    spread: float

    @classmethod
    def of(cls, real: Tensor) -> "Cloud":
        """That of latents (n, D)."""
        middle = real.mean(0)
        points = real - middle
        squares = points.square().sum(-1)
        return cls(middle, points, squares, squares.sqrt().mean().item())

    def __len__(self) -> int:
        return len(self.points)

    def to(self, like: Tensor) -> "Cloud":
        """The same on the device and in the type of another tensor."""
        if self.points.dtype == like.dtype and self.points.device == like.device:
            return self
        return Cloud(self.middle.to(like), self.points.to(like), self.squares.to(like), self.spread)


def units(
    z: Tensor, others: Tensor, squares: Tensor, tally: Tally | None = None
) -> tuple[Tensor, Tensor]:
    """Σ_j (z_i - x_j)/‖z_i - x_j‖, (N, D), and Σ_j 1/‖z_i - x_j‖, (N, 1).

    z: (N, D); others: the x_j, (n, D), with the squares of their lengths, (n,). A point where z_i
    is itself (``SAME``), as z_i among all z, adds nothing to either. By products of matrices,
    block by block, at any size of z_i, but not of the others. ``tally`` counts the z_i that are at
    one of real x_j.
    """
    found = [_units(points, others, squares, tally or Tally()) for points in z.split(BLOCK)]
    if len(found) == 1:
        return found[0]
    moved, totals = zip(*found, strict=True)
    return torch.cat(moved), torch.cat(totals)


def _units(z: Tensor, others: Tensor, squares: Tensor, tally: Tally) -> tuple[Tensor, Tensor]:
    # z_i in units of its own, so that squares stay finite: 1 of all ordinary latents, which
    # changes no bit. Times ``unit``, what is found is again what it was asked for.
    unit = (z.abs().amax(-1, keepdim=True) / MOST).clamp_min(1)
    scaled = z / unit
    lengths = scaled.square().sum(-1, keepdim=True) + squares / unit**2
    apart = torch.addmm(lengths, scaled / unit, others.mT, alpha=-2)
    # What is at most SAME apart is not used, so that no square below 0 by rounding is.
    same = apart <= SAME**2 * lengths
    tally.add("latents_at_real_ones", same.any(1).sum(), len(z))
    inverse = torch.where(same, 0, apart.rsqrt())
    total = inverse.sum(-1, keepdim=True)
    return scaled * total - (inverse / unit) @ others, total / unit


def direction(z: Tensor, real: Cloud, finished: Tensor, tally: Tally | None = None) -> Tensor:
    """d of the free latents z (G, D), which see each other and the finished ones (M, D): (G, D).

    N is M + G, the images that there are: of a set that is drawn one by one each image lowers
    the energy of the set so far, whatever its IPC will be. Finite at any finite size of latents;
    images in one place do not push each other.
    """
    free = z - real.middle
    visible = torch.cat([finished - real.middle, free])
    pull = units(free, real.points, real.squares, tally)[0]
    unit = unit_of(visible, (0, 1))  # of all together: a push is a sum of directions
    free, visible = free / unit, visible / unit
    push = units(free, visible, visible.square().sum(-1))[0]
    return pull / len(real) - push / len(visible)


class RealLatents:
    """The real latents of a job's classes, each read when it is first asked for, and kept."""

    def __init__(self, context: Context):
        self.context = context
        self._of: dict[int, Cloud] = {}

    def of(self, label: int) -> Cloud:
        """Latents of a class, float32 on the job's device.

        Raises ``DataError`` where they are not finite, or so large that their squares are not.
        """
        if label not in self._of:
            found = torch.from_numpy(self.context.real.of_class(label)).to(self.context.device)
            cloud = Cloud.of(found)
            if not math.isfinite(cloud.spread):
                raise DataError(
                    f"{self.context.latents}: latents of class {self.context.classes[label]!r} are "
                    "not finite, or their squares are not: remove the folder and the dataset's "
                    "autoencoder, and they are made anew"
                )
            self._of[label] = cloud
        return self._of[label]


def support(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term: √ᾱ_before R d of the predicted clean latents, (B, G, D).

    At weight w the clean latent, which z_{t-1} holds √ᾱ_before times, moves by w R d.
    ``options``: none but the steps.
    """
    real_latents = RealLatents(context)

    def term(state: State) -> Tensor:
        real = real_latents.of(state.label).to(state.z)
        frozen = state.finished / state.alpha_bar**0.5  # z₀, which stand at √ᾱ_t z₀
        moved = [
            direction(free, real, finished, context.tally)
            for free, finished in zip(state.predicted, frozen, strict=True)
        ]
        return state.alpha_bar_before**0.5 * real.spread * torch.stack(moved)

    return term


def alone(options: Mapping, context: Context) -> Callable[[Tensor, int], Tensor]:
    """The term with no denoiser: a set's latents (N, D) and its class to ``settled`` ones."""
    real_latents = RealLatents(context)

    def settle(z: Tensor, label: int) -> Tensor:
        return settled(z, real_latents.of(label), context.tally)

    return settle


def settled(z: Tensor, real: Cloud, tally: Tally | None = None) -> Tensor:
    """Latents z (N, D) moved to where their energy among real ones is low: (N, D).

    Mak and Joseph's algorithm ``sp.ccp``: z_i ← z_i - d_i/h_i, h_i = 1/n Σ_j 1/‖z_i - x_j‖, all
    points at once. No step raises E, and there is no rate to choose. It ends in a minimum of many.
    A point that is at the only real one, or at the one place of all, stays there.
    """
    z = z - real.middle
    for _ in range(ITERATIONS):
        pull, total = units(z, real.points, real.squares, tally)
        push = units(z, z, z.square().sum(-1))[0]
        step = (pull - push * (len(real) / len(z))) / total
        step = torch.where(total == 0, 0, step)
        z = z - step
        if not step.norm(dim=-1).max() > SETTLED * real.spread:  # nor where it is not a number
            break
    return z + real.middle
