"""A loss that is not finite stops a training, with the step and the image named."""

import torch
from torch import Tensor


def check_loss(loss: Tensor, outputs: Tensor, chosen: Tensor, what: str) -> None:
    """Raise ``FloatingPointError`` unless ``loss`` is finite.

    outputs: the network's, (n, …); chosen: the images' positions in the training set,
    (n,). The message names ``what`` (the training and its step) and the first image
    whose output is not finite.
    """
    if torch.isfinite(loss):
        return
    bad = (~torch.isfinite(outputs.detach().flatten(1)).all(1)).nonzero()
    image = f"training image {int(chosen[int(bad[0, 0])])}" if len(bad) else "no image alone"
    raise FloatingPointError(
        f"{what}: the loss is {loss.item()}; first output that is not finite: {image}"
    )
