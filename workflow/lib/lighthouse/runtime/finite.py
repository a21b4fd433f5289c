"""A loss that is not finite stops a training, with the step and the image named."""

import torch
from torch import Tensor


def check_loss(loss: Tensor, outputs: Tensor, chosen: Tensor, what: str) -> None:
    """Raise ``FloatingPointError`` unless ``loss`` is finite.

    outputs: the network's, (n, …); chosen: the images' positions in the training set,
    (n,). The message names ``what`` (the training and its step) and the image whose
    output is not finite, or else the largest.
    """
    if torch.isfinite(loss):
        return
    size = outputs.detach().abs().flatten(1).nan_to_num(nan=float("inf"), posinf=float("inf"))
    worst = int(chosen[int(size.amax(1).argmax())])
    raise FloatingPointError(
        f"{what}: the loss is {loss.item()}; worst output: that of training image {worst}"
    )
