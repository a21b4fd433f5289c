"""Random generators whose state depends on what is drawn, never on how work is divided."""

import hashlib
from collections.abc import Iterable

import torch


def derive_seed(*names: object) -> int:
    """Return a 63-bit seed for a thing named by ``names``, stable across machines."""
    text = "\x1f".join(str(name) for name in names)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*names: object) -> torch.Generator:
    """Return a CPU generator for a thing named by ``names``."""
    return torch.Generator().manual_seed(derive_seed(*names))


def image_generators(
    seed: int, dataset: str, class_name: str, indices: Iterable[int]
) -> list[torch.Generator]:
    """Return one generator per image.

    The state follows from (seed, dataset, class, index) alone, so neither batch
    size, sharding nor device count changes a sample, and methods that share a
    seed start from the same noise. Generators live on the CPU; what they draw is
    moved to the device.
    """
    return [generator("image", seed, dataset, class_name, index) for index in indices]
