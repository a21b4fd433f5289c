"""What is not finite stops a training, with the step and the image named, or names its file."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import YOURS

#: Steps between two looks at an accelerator's losses.
LOOK_EVERY = 100


class LossWatch:
    """The losses of a training, looked at some steps at a time.

    To read a number off an accelerator is to wait for all that it was given before, and
    until then it gets nothing new to do. So losses stay where they are until there are
    ``every`` of them, or ``look`` is called: at the end of a training, and before anything
    that came of it is kept. One that goes wrong stops so many steps later, with the same words.
    """

    def __init__(self, every: int = LOOK_EVERY):
        self.every = every
        self._unseen: list[tuple[Tensor, Tensor, Tensor, tuple[str, ...]]] = []

    def add(self, loss: Tensor, outputs: Tensor, chosen: Tensor, *what: str) -> None:
        """Remember a step's loss.

        outputs: the network's, (n, …); chosen: the images' positions in the training set, (n,).
        The message names ``what`` (the training and its step) and the image whose output is not
        finite, or else the largest. Where k networks are trained at once, with a k before each
        shape, ``what`` names each.
        What is kept of ``outputs`` is a number an image. Raises ``FloatingPointError`` as
        ``look`` does.
        """
        # A copy: what is compiled, or replayed as a graph, writes its next loss over this one.
        losses, images = loss.detach().clone().reshape(-1), (len(what), -1)
        largest = _largest(outputs.flatten(0, loss.dim())).reshape(images)
        self._unseen.append((losses, largest, chosen.reshape(images), what))
        if len(self._unseen) >= self.every:
            self.look()

    def look(self) -> None:
        """Raise ``FloatingPointError`` of the first step, of those unseen, that was not finite."""
        unseen, self._unseen = self._unseen, []
        if not unseen:
            return
        finite = torch.isfinite(torch.stack([losses for losses, *_ in unseen])).tolist()
        for step, each in zip(unseen, finite, strict=True):
            if not all(each):
                _stop(*(part[each.index(False)] for part in step))


def check_weights(weights: Iterable[Tensor], what: str) -> None:
    """Raise ``FloatingPointError`` where a trained weight is not finite.

    No loss shows what the last update did. ``what`` names the training.
    """
    if not torch.stack([weight.detach().isfinite().all() for weight in weights]).all():
        raise FloatingPointError(
            f"{what}: weights are not finite after the last step: lower the learning rate"
        )


def check_read(path: object, tensors: Mapping[str, Tensor]) -> None:
    """Raise ``DataError`` where weights that a user gives are not finite, by the first's name."""
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise DataError(f"{path}: {name} holds values that are not finite; {YOURS}")


def _largest(outputs: Tensor) -> Tensor:
    """The largest size in each image's output, (n,); NaN where there is one."""
    return outputs.detach().flatten(1).abs().amax(1)


def _stop(loss: Tensor, largest: Tensor, chosen: Tensor, what: str) -> None:
    size = largest.nan_to_num(nan=float("inf"), posinf=float("inf"))
    worst = int(chosen[int(size.argmax())])
    raise FloatingPointError(
        f"{what}: the loss is {loss.item()}; worst output: that of training image {worst}"
    )
