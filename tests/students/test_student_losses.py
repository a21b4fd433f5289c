"""Losses of a student: hard labels, mixed ones, and a teacher's."""

import math

import pytest
import torch

from lighthouse.runtime.finite import LossWatch
from lighthouse.students import trainer
from lighthouse.students.augment import cutmix
from lighthouse.students.trainer import soft_loss, train_student
from toy_students import EVERYTHING, OFF, PROTOCOL, Fixed, bars


@pytest.fixture
def fixed(monkeypatch):
    """``Fixed`` as the student's network."""
    network = Fixed()
    monkeypatch.setitem(trainer.NETWORKS, "fixed", lambda options, size, n_classes: network)
    return network


def one_loss(monkeypatch, protocol, teacher=None):
    """Loss of the first batch of one epoch, with its logits and the batch's labels."""
    found = []

    def spy(watch, loss, logits, chosen, what):
        found.append((loss.item(), logits.detach(), chosen))

    monkeypatch.setattr(LossWatch, "add", spy)
    data, protocol = bars(12, 0), {**protocol, "batch_size": [[10, 12]], "epochs": [[10, 1]]}
    train_student(data, bars(3, 1), {"network": "fixed"}, protocol, 5, 0, teacher)
    loss, logits, chosen = found[0]
    return loss, logits.double(), data.labels[chosen]


def entropy(logits, labels):
    """Mean cross-entropy, by its definition."""
    return sum(
        math.log(sum(math.exp(v) for v in row.tolist())) - row[label].item()
        for row, label in zip(logits, labels.tolist(), strict=True)
    ) / len(labels)


def test_the_loss_is_the_cross_entropy(monkeypatch, fixed):
    loss, logits, labels = one_loss(monkeypatch, PROTOCOL)
    assert loss == pytest.approx(entropy(logits, labels), rel=1e-5)


def test_cutmix_weighs_both_labels_by_their_area(monkeypatch, fixed):
    made = []

    def spy(images, rngs):
        made.append((images, *cutmix(images, rngs)))
        return made[0][1:]

    monkeypatch.setattr(trainer, "cutmix", spy)
    protocol = {**PROTOCOL, "augment": {**OFF, "cutmix": True}}
    loss, logits, labels = one_loss(monkeypatch, protocol)
    before, mixed, partners, _ = made[0]
    assert torch.equal(fixed.seen[0], mixed)
    # The share by counting, in an image with another partner than itself.
    number = next(k for k, partner in enumerate(partners.tolist()) if partner != k)
    own = (mixed[number] == before[number]).all(0).double().mean().item()
    assert 0 < own < 1
    wanted = own * entropy(logits, labels) + (1 - own) * entropy(logits, labels[partners])
    assert loss == pytest.approx(wanted, rel=1e-5)


def softened(logits, temperature):
    powers = [math.exp(v / temperature) for v in logits]
    return [power / sum(powers) for power in powers]


def test_the_soft_loss_is_the_divergence_of_the_student_from_the_teacher():
    logits, answers = (
        torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 9.0]]),
        torch.tensor([[4.0, 0.0, -1.0], [20.0, 10.0, 0.0]]),
    )
    wanted = 0.0
    for student, teacher in zip(logits.tolist(), answers.tolist(), strict=True):
        for q, p in zip(softened(student, 20), softened(teacher, 20), strict=True):
            wanted += p * math.log(p / q) / 2
    assert soft_loss(logits, answers, 20).item() == pytest.approx(wanted, rel=1e-4)
    assert soft_loss(answers, answers, 20).item() == pytest.approx(0, abs=1e-7)


def test_the_teacher_answers_to_the_very_batch_that_the_student_sees(monkeypatch, fixed):
    teacher = Fixed()
    teacher.weight.data *= -7
    protocol = {
        **PROTOCOL,
        "augment": {**EVERYTHING, "cutmix": True},
        "labels": "soft",
        "temperature": 20,
    }
    loss, logits, _ = one_loss(monkeypatch, protocol, teacher)
    assert torch.equal(teacher.seen[0], fixed.seen[0])
    assert teacher.weight.grad is None
    answers = teacher.seen[0].mean((1, 2, 3))[:, None] * teacher.weight
    wanted = soft_loss(logits, answers.detach().double(), 20).item()
    assert loss == pytest.approx(wanted, rel=1e-4)
