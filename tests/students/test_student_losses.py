"""Losses of a student: hard labels, mixed ones, and a teacher's."""

import math
from dataclasses import replace

import pytest
import torch

from lighthouse.runtime.files import write_tensors
from lighthouse.runtime.finite import LossWatch
from lighthouse.students import trainer
from lighthouse.students.augment import cutmix
from lighthouse.students.losses import soft_loss
from lighthouse.students.trainer import read_set, train_student
from toy_students import EVERYTHING, OFF, PROTOCOL, Fixed, bars


@pytest.fixture
def fixed(monkeypatch):
    """``Fixed`` as the student's network."""
    network = Fixed()
    monkeypatch.setitem(trainer.NETWORKS, "fixed", lambda options, size, n_classes: network)
    return network


def one_loss(monkeypatch, protocol, teacher=None, answers=None):
    """Loss of the first batch of one epoch, with its logits and the batch's labels.

    answers: the set's own soft labels, of which the batch's are returned then.
    """
    found = []

    def spy(watch, loss, logits, chosen, what):
        found.append((loss.item(), logits.detach(), chosen))

    monkeypatch.setattr(LossWatch, "add", spy)
    data = replace(bars(12, 0), answers=answers)
    protocol = {**protocol, "batch_size": [[10, 12]], "epochs": [[10, 1]]}
    train_student(data, bars(3, 1), {"network": "fixed"}, protocol, 5, 0, teacher)
    loss, logits, chosen = found[0]
    return loss, logits.double(), (data.labels if answers is None else answers)[chosen]


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


# A set's own soft labels.

OWN = {**PROTOCOL, "labels": "own", "temperature": 2.0}
ANSWERS = 3 * torch.randn(12, 3, generator=torch.Generator().manual_seed(1))


def divergence(logits, answers, temperature):
    """Mean KL of softened logits from softened answers, by its definition."""
    total = 0.0
    for student, own in zip(logits.tolist(), answers.tolist(), strict=True):
        pairs = zip(softened(own, temperature), softened(student, temperature), strict=True)
        total += sum(p * math.log(p / q) for p, q in pairs)
    return total / len(logits)


def test_own_labels_are_what_the_student_is_to_answer(monkeypatch, fixed):
    loss, logits, answers = one_loss(monkeypatch, OWN, answers=ANSWERS)
    assert loss == pytest.approx(divergence(logits, answers, 2.0), rel=1e-4)


def test_crops_and_colours_leave_own_labels_as_they_are(monkeypatch, fixed):
    protocol = {**OWN, "augment": {**EVERYTHING, "cutmix": False}}
    loss, logits, answers = one_loss(monkeypatch, protocol, answers=ANSWERS)
    assert loss == pytest.approx(divergence(logits, answers, 2.0), rel=1e-4)


def test_cutmix_weighs_own_labels_by_their_area(monkeypatch, fixed):
    made = []

    def spy(images, rngs):
        made.append(cutmix(images, rngs))
        return made[0]

    monkeypatch.setattr(trainer, "cutmix", spy)
    protocol = {**OWN, "augment": {**OFF, "cutmix": True}}
    loss, logits, answers = one_loss(monkeypatch, protocol, answers=ANSWERS)
    _, partners, ((own, other),) = made[0]
    assert 0 < own < 1 and not torch.equal(answers, answers[partners])
    wanted = own * divergence(logits, answers, 2.0)
    wanted += other * divergence(logits, answers[partners], 2.0)
    assert loss == pytest.approx(wanted.item(), rel=1e-4)


def test_of_a_set_without_soft_labels_the_own_ones_are_its_classes(monkeypatch, fixed):
    data, protocol = bars(12, 0), {**OWN, "temperature": 1.0}
    assert data.targets(PROTOCOL) is data.labels
    assert data.targets(protocol).argmax(1).tolist() == data.labels.tolist()
    loss, logits, labels = one_loss(monkeypatch, protocol)
    assert loss == pytest.approx(entropy(logits, labels), rel=1e-5)
    loss, logits, labels = one_loss(monkeypatch, OWN)
    assert loss == pytest.approx(entropy(logits / 2, labels), rel=1e-5)


def test_own_labels_move_with_their_images():
    data = replace(bars(12, 0), answers=ANSWERS)
    for moved in (data.to("cpu"), data.resized(8), data.first(12)):
        assert torch.equal(moved.answers, ANSWERS)
    assert torch.equal(data.first(5).answers, ANSWERS[:5])


def test_a_set_is_read_with_the_labels_of_the_same_images(tmp_path):
    images = torch.randint(0, 256, (3, 4, 3, 2, 2), dtype=torch.uint8)
    answers = torch.randn(3, 4, 3)
    for name, values in {"images": images, "labels": answers}.items():
        write_tensors(tmp_path / name, {"seed~5": values}, {})
    found = read_set(tmp_path / "images", 5, 2, tmp_path / "labels")
    assert torch.equal(found.images, images[:, :2].flatten(0, 1))
    assert torch.equal(found.answers, answers[:, :2].flatten(0, 1))
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert read_set(tmp_path / "images", 5, 2).answers is None
