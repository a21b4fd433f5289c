"""Units of the guidance weights: pure arithmetic.

Shared by config, guidance and tables, and free of torch.
"""

#: Numbers in a latent of DiT-XL/2 at 256 px (4×32×32), the size for which the
#: papers' weights are given. Guidance weights are in that unit everywhere that a
#: user sees them; where they are applied, those that grow with a latent's size are
#: multiplied by D / 4096 (ours).
REFERENCE_LATENT_DIM = 4096


def raw_weight(weight: float, latent_dim: int) -> float:
    """A weight that grows with a latent, in the papers' unit, as applied to ``latent_dim`` numbers.

    A DPP step moves a sample by about η/‖z‖, relative to the sample η/D; a mean step
    by 2μ/(N·D) of the drift. Weights that grow with D keep both shares (ours).
    """
    return weight * latent_dim / REFERENCE_LATENT_DIM


def eta_share(eta_dpp: float) -> float:
    """About the share of a latent's length by which a DPP step moves it.

    η/D of the applied weight, free of D since weights are in the paper's unit.
    """
    return eta_dpp / REFERENCE_LATENT_DIM


def mean_pull(mu_dm: float, ipc: int) -> float:
    """Share of the set's drift from the class mean that one guided step removes.

    2μ/(N·D) of a guided step (M Alg. 1), free of D since weights are in the paper's unit.
    Above 1 a step overshoots the mean.
    """
    return 2 * mu_dm / (ipc * REFERENCE_LATENT_DIM)
