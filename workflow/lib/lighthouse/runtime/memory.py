"""What fits into a device's memory."""

from collections.abc import Callable

import torch


def largest_that_fits(trial: Callable[[int], None], start: int) -> int:
    """The first of ``start``, ``start // 2``, …, 1 at which ``trial`` runs; 0 if none does.

    ``trial(size)`` does one step of the real work at a batch of ``size`` and keeps
    nothing; where it does not fit, it raises ``torch.OutOfMemoryError``. What failed
    holds no memory at the next size.
    """
    size = start
    while size and not _fits(trial, size):
        torch.cuda.empty_cache()
        size //= 2
    return size


def _fits(trial: Callable[[int], None], size: int) -> bool:
    # A function of its own: its return lets go of the failed trial's frames and tensors.
    try:
        trial(size)
    except torch.OutOfMemoryError:
        return False
    return True


def capacity(device: object) -> str:
    """A device's memory in words, for a message: ``23.6 GiB (NVIDIA GeForce RTX 4090)``."""
    device = torch.device(device)
    if device.type != "cuda":
        return "this machine's memory"
    about = torch.cuda.get_device_properties(device)
    return f"{about.total_memory / 2**30:.1f} GiB ({about.name})"
