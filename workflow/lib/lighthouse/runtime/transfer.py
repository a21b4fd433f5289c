"""Tensors between host and accelerator, without either waiting for the other."""

from collections.abc import Callable

import torch
from torch import Tensor


def sent(x: Tensor, device: object) -> Tensor:
    """A tensor of the CPU on a device; the CPU goes on while it is copied."""
    if torch.device(device).type != "cuda":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


def fetched(x: Tensor) -> Callable[[], Tensor]:
    """Begin to copy a tensor to the CPU; the function waits for what was asked up to here."""
    if x.device.type != "cuda":
        found = x.cpu()
        return lambda: found
    host = torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
    host.copy_(x, non_blocking=True)
    copied = torch.cuda.Event()
    copied.record()

    def wait() -> Tensor:
        copied.synchronize()
        return host

    return wait
