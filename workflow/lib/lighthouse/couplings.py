"""Couplings: which images of a class are denoised together, and whom each of them sees."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One pass of the sampler over some images of every class.

    groups: the images denoised in this pass; those of a group see each other. All
        groups of a stage are of one size.
    finished: images of earlier stages, frozen, that every group sees too.
    """

    groups: tuple[tuple[int, ...], ...]
    finished: tuple[int, ...] = ()


def iid(ipc: int) -> list[Stage]:
    """Nobody sees anybody."""
    return [Stage(groups=tuple((i,) for i in range(ipc)))]


def joint(ipc: int) -> list[Stage]:
    """All images of a class are denoised together (CGS)."""
    return [Stage(groups=(tuple(range(ipc)),))]


def sequential(ipc: int) -> list[Stage]:
    """Image n sees the n - 1 that are finished: the greedy strategy of supplement §1.2."""
    return [Stage(groups=((i,),), finished=tuple(range(i))) for i in range(ipc)]


COUPLINGS: dict[str, Callable[[int], list[Stage]]] = {
    "iid": iid,
    "sequential": sequential,
    "joint": joint,
}
