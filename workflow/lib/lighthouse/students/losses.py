"""What a student is trained by: its loss under a protocol's labels."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from lighthouse.runtime.precision import autocast


def batch_loss(
    network: Callable[[Tensor], Tensor], protocol: Mapping, batch: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Loss and logits of one student. batch: its part of ``trainer.Training._batch``."""
    with autocast(batch["images"].device, protocol["precision"]):
        logits = network(batch["images"])
    logits = logits.float()
    if protocol["labels"] == "soft":
        return soft_loss(logits, batch["answers"], protocol["temperature"]), logits

    def loss_of(labels: Tensor) -> Tensor:
        if protocol["labels"] == "own":
            return soft_loss(logits, labels, protocol["temperature"])
        return F.cross_entropy(logits, labels)

    loss = loss_of(batch["labels"])
    if "others" in batch:
        own, other = batch["shares"]
        loss = own * loss + other * loss_of(batch["others"])
    return loss, logits


def soft_loss(logits: Tensor, answers: Tensor, temperature: float) -> Tensor:
    """Mean over the batch of KL(teacher ‖ student), both softened (RDED: no factor T²).

    logits, answers: (n, n_classes), the student's and the teacher's; or a set's own soft labels.
    Of an answer that is -inf for all classes but one, it is the cross-entropy at that temperature.
    """
    student, teacher = F.log_softmax(logits / temperature, 1), F.softmax(answers / temperature, 1)
    # As F.kl_div reckons it, which several students at once (vmap) would take one by one.
    return (torch.xlogy(teacher, teacher) - teacher * student).sum() / len(logits)
