"""MGD3's mode guidance: each image pursues a mode of its class (Chan-Santiago et al., ICML 2025).

The modes of a class are the k-means centres of its real latents, k the IPC, and image i
goes to mode i. At each guided step z_{t-1} moves by λ σ_t (m_i - ẑ₀), where σ_t is the
standard deviation of the step's noise.

The paper writes it as a change of the noise prediction, ε̂ + λ σ_t (m_i - ẑ₀). Taken
literally that leads away from the mode, since ẑ₀ falls as ε̂ rises. Code built on the
authors' adds the term to z_{t-1}, which leads towards it, and so does this module.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from lighthouse.guidance.clusters import ClassClusters
from lighthouse.guidance.context import Context
from lighthouse.guidance.state import State
from lighthouse.runtime.errors import DataError


def step_deviation(alpha_bar: float, alpha_bar_before: float) -> float:
    """σ_t = √β̃_t, β̃_t = β_t (1 - ᾱ_before)/(1 - ᾱ_t), β_t = 1 - ᾱ_t/ᾱ_before.

    Under learned variance too, where the source takes that of each number: it lies
    between √β̃_t and √β_t, which differ by less than 0.8 % at the guided steps (ours).
    """
    beta = 1 - alpha_bar / alpha_bar_before
    return (beta * (1 - alpha_bar_before) / (1 - alpha_bar)) ** 0.5


class Modes:
    """The modes of a job's sets (``ClassClusters``): as many as a set has images."""

    def __init__(self, context: Context):
        self.context = context
        self._clusters = ClassClusters(context, context.ipc, "modes")

    def of(self, seed: int, label: int) -> Tensor:
        """Modes of a class under a seed, (ipc, D) on the job's device.

        Raises ``DataError`` where the class has fewer images than that.
        """
        found = self._clusters.of(seed, label).centres
        if len(found) < (ipc := self.context.ipc):
            dataset, name = self.context.dataset, self.context.classes[label]
            raise DataError(
                f"mode guidance: class {name!r} of {dataset} has {len(found)} training images, "
                f"fewer than the {ipc} modes of IPC {ipc}: add images, or take the method or the "
                "IPC out of run"
            )
        return found


def mode(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term at λ = 1: σ_t (ẑ₀ - m_i), subtracted from z_{t-1}.

    ``options``: none but the steps. The source guides the 24 noisiest of 50 respaced
    steps, t = 530 to 999; an image's last 26 are free.
    """
    found = Modes(context)

    def direction(state: State) -> Tensor:
        target = found.of(state.seed, state.label)[state.images].to(state.z)
        sigma = step_deviation(state.alpha_bar, state.alpha_bar_before)
        return sigma * (state.predicted - target)

    return direction
