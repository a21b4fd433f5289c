"""The arithmetic of a network, said and not left to a library's defaults."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


def full_float32() -> None:
    """Compute float32 in float32 on an accelerator too: no TF32, which keeps 10 bits of 23.

    torch allows TF32 in convolutions unless told otherwise.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """A context in which matrix products run in ``precision``: ``fp32`` (as is) or ``bf16``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def training_attention(device: torch.device, precision: str) -> AbstractContextManager:
    """A context in which attention is computed by the way back that is fast in ``precision``.

    A CPU's fused kernel takes half of a step for its way back in bf16, where a latent has few
    tokens: plain products of matrices halve that step (16 tokens; at 64 they gain a tenth). In
    float32, and on an accelerator, the fused kernels are the faster ones.
    """
    if device.type == "cpu" and precision == "bf16":
        return sdpa_kernel(SDPBackend.MATH)
    return nullcontext()
