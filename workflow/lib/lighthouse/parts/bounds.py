"""The weights above which a guided step overshoots, each by the formula of its term.

Functions of a weight in the papers' unit, the IPC and the term's options: what is wrong, in words
that follow the weight; empty if nothing is. What a step goes to lies within its reach.
"""

from collections.abc import Mapping

from lighthouse.units import REFERENCE_LATENT_DIM, eta_share, mean_pull


def beyond_mean(mu_dm: float, ipc: int, options: Mapping) -> str:
    """Of mean matching: a step removes 2μ/(N·D) of the set's drift."""
    return _told(
        mean_pull(mu_dm, ipc),
        "a step would move the set by {share:g} times its distance from the class mean",
        ipc * REFERENCE_LATENT_DIM / 2,
    )


def beyond_length(weight: float, ipc: int, options: Mapping) -> str:
    """Of the gradients of a cosine, DPP's and deviation's: a step moves a latent by η/D."""
    return _told(
        eta_share(weight),
        "a step would move a latent by about {share:g} times its own length",
        REFERENCE_LATENT_DIM,
    )


def beyond_noise(k: float, ipc: int, options: Mapping) -> str:
    """Of influence: a step is k · scale · √(1-ᾱ_t) times the noise prediction, and √(1-ᾱ_t) < 1."""
    return _told(
        k * options["scale"],
        "a step would be up to {share:g} times as large as the predicted noise",
        1 / options["scale"],
    )


def beyond_mode(scale: float, ipc: int, options: Mapping) -> str:
    """Of mode guidance: a step goes λ σ_t of the way to the mode, and σ_t < 1."""
    return _told(scale, "a step would go up to {share:g} times the way to its mode", 1)


def beyond_middle(weight: float, ipc: int, options: Mapping) -> str:
    """Of support points: an image alone is left with 1 - w of its distance from the middle."""
    return _told(
        weight / 2,
        "an image alone would be led away from the middle of its class: a step multiplies its "
        "distance from there by about 1 - w",
        2,
    )


def _told(share: float, words: str, most: float) -> str:
    """The words, where a step has more than its share."""
    if share <= 1:
        return ""
    return f"overshoots: {words.format(share=share)}; allowed: at most {most:g}"
