"""Units of the guidance weights: pure arithmetic.

Shared by config, guidance and tables, and free of torch.
"""

from collections.abc import Mapping
from typing import NamedTuple

#: Numbers in a latent of DiT-XL/2 at 256 px (4×32×32), the size for which the
#: papers' weights are given. Guidance weights are in that unit everywhere that a
#: user sees them; where they are applied, those that grow with a latent's size are
#: multiplied by D / 4096 (ours).
REFERENCE_LATENT_DIM = 4096


class Weight(NamedTuple):
    """The weight of a guidance term, and what the term wants of a coupling.

    column: of the hyperparameter table. grows: whether the weight that has the same
    effect on a latent of D numbers is proportional to D. couplings: under which the term
    has an effect. couples: whether an image's gradient depends on the others.
    through_denoiser: whether it goes back through the denoiser.
    """

    column: str
    grows: bool
    couplings: tuple[str, ...] = ("iid", "sequential", "joint")
    couples: bool = False
    through_denoiser: bool = False


#: Guidance terms by the name a method row uses.
TERM_WEIGHTS = {
    "dpp": Weight("eta_dpp", grows=True, couplings=("sequential", "joint"), couples=True),
    "mean": Weight("mu_dm", grows=True, couples=True),
    # ρ_t measures the gradient by the noise prediction: free of D.
    "influence": Weight("k_influence", grows=False, through_denoiser=True),
    # The gradient of a cosine has length 1/‖z‖, as that of DPP.
    "deviation": Weight("gamma_deviation", grows=True, couplings=("sequential",), couples=True),
    # A share of the way from ẑ₀ to the mode.
    "mode": Weight("mode_scale", grows=False),
}


def raw_weight(term: str, weight: float, latent_dim: int) -> float:
    """A term's weight in the papers' unit as applied to latents of ``latent_dim`` numbers.

    A DPP step moves a sample by about η/‖z‖, relative to the sample η/D; a mean step
    by 2μ/(N·D) of the drift. Weights that grow with D keep both shares (ours).
    """
    grows = TERM_WEIGHTS[term].grows
    return weight * latent_dim / REFERENCE_LATENT_DIM if grows else weight


def applied_weights(weights: Mapping[str, float], latent_dim: int) -> dict[str, float]:
    """Weights by column, in the papers' unit, as applied to latents of ``latent_dim`` numbers."""
    terms = {weight.column: term for term, weight in TERM_WEIGHTS.items()}
    return {name: raw_weight(terms[name], value, latent_dim) for name, value in weights.items()}


def mean_pull(mu_dm: float, ipc: int) -> float:
    """Share of the set's drift from the class mean that one guided step removes.

    2μ/(N·D) of a guided step (M Alg. 1), free of D since weights are in the paper's unit.
    Above 1 a step overshoots the mean.
    """
    return 2 * mu_dm / (ipc * REFERENCE_LATENT_DIM)
