"""The arithmetic of a network, said and not left to a library's defaults."""

import torch


def full_float32() -> None:
    """Compute float32 in float32 on an accelerator too: no TF32, which keeps 10 bits of 23.

    torch allows TF32 in convolutions unless told otherwise.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """A context in which matrix products run in ``precision``: ``fp32`` (as is) or ``bf16``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
