"""Several students trained at once, as one batch of models.

A small network on few images leaves an accelerator idle, and processes side by side take turns
on it. Here the weights of k networks are one tensor with a k before their shape: a step is one
pass of a batch of images through a batch of models (``torch.func.vmap``: convolutions become
grouped ones), and one update of all weights. Each student has its own first weights and draws,
no number of one enters another, and optimisers work weight by weight; so each is, but for
rounding, the student that it would be alone.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from lighthouse.runtime.keeper import Keeper
from lighthouse.runtime.memory import capacity, largest_that_fits
from lighthouse.students.losses import batch_loss
from lighthouse.students.trainer import (
    Images,
    Training,
    course,
    exact_arithmetic,
    follow,
    in_words,
    new_network,
    training_seed,
)


def train_together(
    sets: Sequence[Images],
    seen: Images,
    network_options: Mapping,
    protocol: Mapping,
    ipc: int,
    seeds: Sequence[tuple[int, int]],
    teacher: nn.Module | None = None,
    keeper: Keeper | None = None,
) -> list[tuple[nn.Module, dict]]:
    """Train one student on each of ``sets``, all at once.

    sets: equally many images each; one may be there for several students. seeds: of each
    student the seed of its set and its own. The network's kind must be ``is_stackable``.
    Returns what ``train_student`` returns, for each student.
    Raises ``FloatingPointError`` at a loss that is not finite, and ``MemoryError``, with
    the number of students that would fit, where the accelerator's memory does not do.
    """
    exact_arithmetic()
    epochs, batch = course(protocol, ipc, len(sets[0].labels))
    own = [training_seed(*pair) for pair in seeds]

    def begin(k: int, epochs: int) -> StackedTraining:
        return StackedTraining(sets[:k], network_options, protocol, batch, epochs, own[:k], teacher)

    try:
        what = f"{network_options['network']}, {len(sets)} students at once"
        return follow(begin(len(sets), epochs), seen, epochs, what, keeper)
    except torch.OutOfMemoryError:
        pass  # leaving this block lets go of what the training held

    fits = largest_that_fits(lambda k: begin(k, 1).run_epoch(1), len(sets) // 2)
    raise MemoryError(
        f"students of {in_words(network_options)}: {len(sets)} at once, with {batch} images of "
        f"{sets[0].size} px each, do not fit in {capacity(sets[0].images.device)}; "
        + (f"{fits} fit: lower" if fits else "not even 1 fits: lower the protocol's batch_size and")
        + " compute.students_at_once"
    )


class StackedTraining(Training):
    """Several networks on their way through the same number of epochs and steps.

    The weights of ``networks`` are views of the stacked ones: each is at any time what its
    training has made of it.
    """

    def __init__(
        self,
        sets: Sequence[Images],
        network_options: Mapping,
        protocol: Mapping,
        batch: int,
        epochs: int,
        seeds: Sequence[int],
        teacher: nn.Module | None,
    ):
        self.networks = [
            new_network(network_options, train, seed)
            for train, seed in zip(sets, seeds, strict=True)
        ]
        self.weights, _ = stack_module_state(self.networks)
        for number, network in enumerate(self.networks):
            for name, weight in network.named_parameters():
                weight.data = self.weights[name].data[number]
        self.images = torch.stack([train.images for train in sets])
        self.labels = torch.stack([train.targets(protocol) for train in sets])
        self._begin(self.weights.values(), seeds, protocol, batch, epochs, teacher)

    def _order(self) -> Tensor:
        """Positions of all training images of each student, (k, n)."""
        n = self.labels.shape[1]
        orders = [torch.randperm(n, generator=rng) for rng in self.rngs]
        return torch.stack(orders).to(self.images.device, non_blocking=True)

    def _names(self, epoch: int) -> list[str]:
        k = len(self.networks)
        return [f"student {number} of {k} at once, epoch {epoch}" for number in range(1, k + 1)]

    def _forward(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The losses, (k,), and the logits, (k, n, n_classes), of a batch of each student."""
        student = torch.arange(len(chosen), device=chosen.device).view(-1, 1)
        images, labels = self.images[student, chosen], self.labels[student, chosen]

        def of_one(weights: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple:
            # Any one of the networks: of it the layers are taken, and no weight.
            network = partial(functional_call, self.networks[0], weights)
            return batch_loss(network, self.protocol, batch)

        return vmap(of_one)(self.weights, self._batch(images.flatten(0, 1), labels.flatten(0, 1)))
