"""How often numbers were held within bounds: clips and floors that data decide, counted.

What no datum decides is a part of its formula and counted nowhere: ε on the diagonal of a kernel,
the constants of SSIM, the least variance of a step, a weight by noise level that ends at 1.
"""

from collections.abc import Mapping
from typing import NamedTuple

from lighthouse.runtime.job import log


class Bound(NamedTuple):
    """says: the cases that are counted, in words. much: a share of them above which a job tells."""

    says: str
    much: float


#: By the name in a record's ``held``.
BOUNDS = {
    "gradients_clipped": Bound("steps whose gradient was scaled down to gradient_clip", 0.5),
    "likelihoods_floored": Bound("likelihoods at t = 0 below 1e-12, which were held there", 0.01),
    # Of real digits, on black, 16 % are, as of every method's images: a few are no fault.
    "pixels_clipped": Bound("decoded colours beyond black or white by more than rounding", 0.5),
    "latents_at_real_ones": Bound("latents, by step, at a real one, which did not pull them", 0.01),
    "imaginary_parts_dropped": Bound("Fréchet distances with an imaginary part above 1 %", 0.0),
}


class Tally:
    """Cases that were held within a bound, of all that were looked at, by a name of ``BOUNDS``.

    Numbers of an accelerator stay there until ``counts``: to read one is to wait for all that it
    was given before.
    """

    def __init__(self, counts: Mapping[str, Mapping[str, int]] | None = None):
        """``counts``: to go on from."""
        self._found = {n: (found["held"], found["of"]) for n, found in (counts or {}).items()}

    def add(self, name: str, held: object, of: object) -> None:
        """Count ``held`` cases of ``of``: integers, or tensors that hold one each."""
        cases, most = self._found.get(name, (0, 0))
        self._found[name] = cases + held, most + of

    def counts(self) -> dict[str, dict[str, int]]:
        """``held`` and ``of`` by name, for a record."""
        return {
            name: {"held": int(held), "of": int(of)}
            for name, (held, of) in sorted(self._found.items())
        }

    def tell(self, what: str) -> None:
        """Log each share that is above what is ``much``. what: a job's work, in words."""
        for name, found in self.counts().items():
            says, much = BOUNDS[name]
            if found["held"] > much * found["of"]:
                share = 100 * found["held"] / found["of"]
                log.warning("%s: %.1f %% of %s: %s", what, share, f"{found['of']:,}", says)
