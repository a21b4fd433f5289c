"""The variational bound, which trains a learned variance."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lighthouse.priors.batch import Batch

#: Half the width of a bin of the discretised Gaussian: images in [-1, 1] have 256 levels.
HALF_BIN = 1 / 255
#: Least likelihood of a bin that has a logarithm here, as the reference has it.
LEAST = 1e-12


class Bounded(NamedTuple):
    """bits: the bound, a scalar. floored, judged: likelihoods at t = 0 that were held at ``LEAST``,
    and all of them, () int64.
    """

    bits: Tensor
    floored: Tensor
    judged: Tensor


class VariationalBound:
    """L_vlb of improved DDPM (Nichol and Dhariwal 2021, Eq. 15-16), to train variances by.

    The model's second half v says where between β̃_t (v = -1) and β_t (v = 1) the log
    variance of p(z_{t-1} | z_t) lies. The mean's gradient is stopped: this term trains the
    variance alone. Added unscaled, as in DiT's own training and in MiniMax's (ours for RSM).
    """

    def __init__(self, betas: Tensor, device: object = "cpu"):
        """``betas``: β_t, (1000,). The tables are computed in float64."""
        betas = betas.double().cpu()
        alpha_bar = (1 - betas).cumprod(0)
        before = torch.cat([alpha_bar.new_ones(1), alpha_bar[:-1]])
        posterior = betas * (1 - before) / (1 - alpha_bar)
        posterior[0] = posterior[1]  # β̃_0 = 0 has no logarithm
        # The weight of z₀ in the posterior mean: that of z_t is the same on both sides.
        weight = betas * before.sqrt() / (1 - alpha_bar)
        tables = (weight, posterior.log(), betas.log())
        self.weight, self.low, self.high = (table.float().to(device) for table in tables)

    def __call__(self, variance: Tensor, prediction: Tensor, batch: Batch) -> Bounded:
        """Mean over elements, in bits.

        ``variance``: v, (n, c, h, w). ``prediction``: ε̂, (n, c, h, w). At t = 0 the
        negative log-likelihood of z₀, else KL(q(z_{t-1} | z_t, z₀) ‖ p(z_{t-1} | z_t)).
        """
        weight, low, high = (
            table[batch.t][:, None, None, None] for table in (self.weight, self.low, self.high)
        )
        log_variance = low + (variance + 1) / 2 * (high - low)
        z0 = batch.predicted_z0(prediction.detach())
        distance = weight * (batch.z0 - z0)
        excess = low - log_variance
        divergence = excess.exp() - 1 - excess + distance.square() * (-log_variance).exp()
        first = (batch.t == 0)[:, None, None, None]
        share = likelihood(batch.z0, z0, log_variance)
        nats = torch.where(first, -share.clamp(min=LEAST).log(), divergence / 2)
        floored = ((share < LEAST) & first).sum()
        return Bounded(nats.mean() / math.log(2), floored, first.sum() * share[0].numel())


def likelihood(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """N(mean, variance) over the bin of x, 0 to 1; the outer bins are open.

    As the reference, which treats latents as if they were images in [-1, 1]; of the
    normal distribution it takes tanh's approximation (here: the function itself, ours).
    """
    scale = (-0.5 * log_variance).exp()
    above = torch.special.ndtr((x - mean + HALF_BIN) * scale)
    below = torch.special.ndtr((x - mean - HALF_BIN) * scale)
    above = torch.where(x > 0.999, 1.0, above)
    below = torch.where(x < -0.999, 0.0, below)
    return above - below
