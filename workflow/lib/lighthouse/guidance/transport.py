"""Optimal-transport guidance of DMGD (Wang et al., CVPR 2026), after the authors' program.

A class's real latents are K clusters with centres c_k (k-means) and masses b_k, the clusters'
shares of the latents; the n images of a set have the masses 1/n. C_ik is the distance of the
predicted clean latent ẑ₀ⁱ from c_k, both scaled to length 1, P the entropic transport plan between
the two, by a few of Sinkhorn's iterations, and L = Σ_ik P_ik C_ik. A guided step is
z_{t-1} ← z_{t-1} - ρ σ_t ∇_{z_t} L, with the noise prediction held still, so that
∇_{z_t} = 1/√ᾱ_t ∇_{ẑ₀}, and with the iterations as a part of L. σ_t: ``mode.step_deviation``.

Finished images are part of the set and stay where they are: the source's "Greedy Progressive
Matching", the coupling ``sequential``. An image alone (``iid``, or the first one) spreads its mass
over the centres by their masses, wherever it is. Under ``joint`` all images are free (ours).

Of the source this is the matching of distributions alone, without its dynamic labels. Deviations:
clusters are drawn anew for each sampling seed, of images that are not mirrored, and ρ grows with D,
as the weights of other gradients of directions do.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lighthouse.guidance.clusters import ClassClusters, Clusters
from lighthouse.guidance.context import Context
from lighthouse.guidance.directions import directions
from lighthouse.guidance.mode import step_deviation
from lighthouse.guidance.state import State


def plan(cost: Tensor, shares: Tensor, epsilon: float, iterations: int) -> Tensor:
    """P of least Σ P_ik C_ik + ε Σ P_ik log P_ik, after some of Sinkhorn's iterations, (…, n, K).

    cost: C, (…, n, K). shares: b, (K,), some of which may be 0. Each iteration gives the rows their
    mass of 1/n and then the columns theirs of b_k, which these have but for rounding; the rows come
    to theirs. In logarithms, so that no factor is lost at a small ε.
    """
    scaled, log_shares = -cost / epsilon, shares.log()
    log_mass = -torch.log(cost.new_tensor(cost.shape[-2]))
    columns = torch.zeros_like(shares)
    for _ in range(iterations):
        rows = log_mass - (scaled + columns).logsumexp(-1, keepdim=True)
        columns = log_shares - (scaled + rows).logsumexp(-2, keepdim=True)
    return (scaled + rows + columns).exp()


def transport_loss(z: Tensor, clusters: Clusters, epsilon: float, iterations: int) -> Tensor:
    """L of latents (…, n, D): (…). Of directions alone (``directions``)."""
    own, centres = directions(z)[0], directions(clusters.centres)[0]
    # Difference by difference: products of matrices round most where points are near.
    mode = "donot_use_mm_for_euclid_dist"
    cost = torch.cdist(own, centres.expand(*own.shape[:-2], -1, -1), compute_mode=mode)
    return (plan(cost, clusters.shares, epsilon, iterations) * cost).sum((-2, -1))


def transport_gradient(
    free: Tensor, finished: Tensor, clusters: Clusters, epsilon: float, iterations: int
) -> Tensor:
    """∂L/∂z of the free latents (…, G, D) beside finished ones (…, M, D): (…, G, D).

    By autograd, through the iterations: a problem of n × K numbers. Orthogonal to each latent.
    """
    with torch.enable_grad():
        leaf = free.detach().requires_grad_()
        visible = torch.cat([finished, leaf], dim=-2)
        loss = transport_loss(visible, clusters, epsilon, iterations).sum()
    return torch.autograd.grad(loss, leaf)[0]


def transport(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term: σ_t/√ᾱ_t ∂L/∂ẑ₀, (B, G, D).

    ``options``: ``clusters``, K; ``epsilon``; ``iterations``.
    """
    found = ClassClusters(context, options["clusters"], "transport")
    limits = options["epsilon"], options["iterations"]

    def direction(state: State) -> Tensor:
        clusters = Clusters(*(part.to(state.z) for part in found.of(state.seed, state.label)))
        # The √ᾱ_t by which finished images come scaled changes no direction.
        gradient = transport_gradient(state.predicted, state.finished, clusters, *limits)
        sigma = step_deviation(state.alpha_bar, state.alpha_bar_before)
        return sigma / state.alpha_bar**0.5 * gradient

    return direction
