"""Units of the guidance weights. Pure arithmetic, shared by config, guidance and tables."""

#: Numbers in a latent of DiT-XL/2 at 256 px (4×32×32), the size for which the
#: paper's weights are given. Guidance weights are in that unit everywhere that a
#: user sees them, and are multiplied by D / 4096 where they are applied (ours).
REFERENCE_LATENT_DIM = 4096

#: Guidance terms by the name a method row uses, with the column of the
#: hyperparameter table that holds their weight.
TERM_WEIGHTS = {"dpp": "eta_dpp", "mean": "mu_dm"}


def raw_weight(weight: float, latent_dim: int) -> float:
    """A weight in the paper's unit as applied to latents of ``latent_dim`` numbers.

    A DPP step moves a sample by about η/‖z‖, relative to the sample η/D; a mean step
    by 2μ/(N·D) of the drift. Weights that grow with D keep both shares (ours).
    """
    return weight * latent_dim / REFERENCE_LATENT_DIM


def mean_pull(mu_dm: float, ipc: int) -> float:
    """Share of the set's drift from the class mean that one guided step removes.

    2μ/(N·D) of method step 2, free of D since weights are in the paper's unit. Above
    1 a step overshoots the mean.
    """
    return 2 * mu_dm / (ipc * REFERENCE_LATENT_DIM)
