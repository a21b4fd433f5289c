"""IGD's surrogate: which epochs are kept, what their class gradients are, and what is on disk."""

import math

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch.nn import functional as F

from lighthouse.students import surrogate as room
from lighthouse.students.augment import normalise
from lighthouse.students.networks import ConvNet
from lighthouse.students.surrogate import (
    CHECKPOINTS,
    GRADIENTS,
    Surrogate,
    class_gradients,
    loss_gradient,
    rows_by_class,
    train_surrogate,
    write_surrogate,
)
from toy_students import NETWORK, OFF, bars

OPTIONS = {
    "epochs": 12,
    "learning_rate": 0.01,
    "batch_size": 8,
    "threshold": 0.7,
    "augment": {**OFF, "crop_scale": [0.6, 1.0]},
}
CLASSES = ["across", "standing", "absent"]
SEED = 3


def train(n=60, **options):
    data = bars(n, 0)
    return train_surrogate(data, np.arange(0, n, 2), NETWORK, {**OPTIONS, **options}, SEED)


@pytest.fixture(scope="module")
def trained():
    return train()


def untrained():
    torch.manual_seed(SEED)
    return ConvNet(2, 8, 16, 3)


# Gradients.


def test_a_class_gradient_is_the_mean_of_its_images_gradients():
    network, images = untrained(), bars(21, 0).images
    examples = [images[:7], images[7:9], images[9:]]
    found = class_gradients(network, examples, batch=3)
    assert found.shape == (3, sum(p.numel() for p in network.parameters()))
    for label, part in enumerate(examples):
        alone = [loss_gradient(network, normalise(i[None]), torch.tensor([label])) for i in part]
        torch.testing.assert_close(found[label], torch.stack(alone).mean(0), rtol=1e-4, atol=1e-6)


def test_a_loss_gradient_is_in_the_order_of_the_parameters():
    network, images = untrained(), normalise(bars(3, 0).images)
    F.cross_entropy(network(images), torch.arange(3)).backward()
    expected = torch.cat([p.grad.flatten() for p in network.parameters()])
    torch.testing.assert_close(loss_gradient(network, images, torch.arange(3)), expected)


def test_the_examples_of_a_class_are_the_chosen_rows_of_that_class():
    rows = rows_by_class(np.array([0, 2, 3, 5]), np.array([1, 0, 0, 1, 0, 1]), 2)
    assert [list(r) for r in rows] == [[2], [0, 3, 5]]


# Which epochs are kept.


def turning(monkeypatch, *degrees):
    """Class gradients, of unlike lengths, that point where each class's angles say by epoch."""
    epochs = iter(zip(*degrees, strict=True))

    def gradients(network, examples, batch):
        angles = [math.radians(angle) for angle in next(epochs)]
        rows = torch.tensor([[math.cos(angle), math.sin(angle)] for angle in angles])
        return torch.tensor([[1.0], [10.0], [100.0]]) * rows

    monkeypatch.setattr(room, "class_gradients", gradients)


def test_an_epoch_is_kept_once_it_has_turned_from_the_last_one_kept(monkeypatch):
    angles = [0, 30, 60, 90, 120, 100, 60]  # 45.6 degrees have a cosine of 0.7
    turning(monkeypatch, angles, angles, angles)
    kept, record = train(epochs=6)
    assert [checkpoint.epoch for checkpoint in kept] == [0, 2, 4, 6]
    assert [epoch for epoch, _ in record["cosines"]] == [1, 2, 3, 4, 5, 6]
    compared = [30, 60, 30, 60, 20, 60]
    for (_, cosine), angle in zip(record["cosines"], compared, strict=True):
        assert cosine == pytest.approx(math.cos(math.radians(angle)), abs=1e-5)


def test_the_cosines_of_the_classes_are_averaged(monkeypatch):
    still = [0, 0, 0]
    turning(monkeypatch, [0, 80, 100], still, still)  # (2 + cos 80°)/3 = 0.72, 100°: 0.61
    kept, _ = train(epochs=2)
    assert [checkpoint.epoch for checkpoint in kept] == [0, 2]


def test_of_gradients_that_do_not_turn_the_untrained_network_alone_is_kept(monkeypatch):
    turning(monkeypatch, *3 * [[10] * 4])
    kept, _ = train(epochs=3)
    assert [checkpoint.epoch for checkpoint in kept] == [0]
    for name, tensor in untrained().state_dict().items():
        assert torch.equal(kept[0].state[name], tensor)


# The training.


def test_the_surrogate_learns_the_classes(trained):
    kept, record = trained
    assert record["accuracy"]["train"] > 0.8
    assert len(kept) > 1
    assert len(record["cosines"]) == OPTIONS["epochs"]


def test_the_kept_gradients_are_those_of_the_kept_networks(trained):
    data, chosen = bars(60, 0), np.arange(0, 60, 2)
    examples = [data.images[rows] for rows in rows_by_class(chosen, data.labels.numpy(), 3)]
    for checkpoint in trained[0]:
        network = ConvNet(2, 8, 16, 3)
        network.load_state_dict(checkpoint.state)
        expected = class_gradients(network.eval(), examples, 8)
        torch.testing.assert_close(checkpoint.gradients, expected, rtol=1e-4, atol=1e-6)


def test_a_surrogate_is_the_same_every_time(trained):
    again, record = train()
    assert record == trained[1]
    for one, other in zip(trained[0], again, strict=True):
        assert torch.equal(one.gradients, other.gradients)


def test_a_loss_that_is_not_finite_stops_the_training_in_its_epoch():
    with pytest.raises(FloatingPointError, match=r"student, epoch 1: the loss is (nan|inf)"):
        train(learning_rate=1e30)


def test_the_learning_rate_is_constant(monkeypatch):
    rates = []

    class Spied(room.Training):
        def run_epoch(self, epoch):
            rates.append(self.optimizer.param_groups[0]["lr"])
            super().run_epoch(epoch)

    monkeypatch.setattr(room, "Training", Spied)
    train(n=12, epochs=6)
    assert rates == [0.01] * 6


# On disk.


@pytest.fixture
def folder(trained, tmp_path):
    kept, record = trained
    write_surrogate(tmp_path / "s", kept, CLASSES, {**record, "note": "n"})
    return tmp_path / "s"


def test_a_surrogate_comes_back_from_its_folder(trained, folder):
    found, kept = Surrogate(folder), trained[0]
    assert found.about["kept"] == [checkpoint.epoch for checkpoint in kept]
    assert (found.about["classes"], found.about["note"]) == (CLASSES, "n")
    images = torch.rand(2, 3, 16, 16)
    for network, checkpoint in zip(found.networks, kept, strict=True):
        original = ConvNet(2, 8, 16, 3)
        original.load_state_dict(checkpoint.state)
        assert torch.equal(network(images), original(images))
        assert not network.training
    for label in (2, 0):
        for gradient, checkpoint in zip(found.gradients(label), kept, strict=True):
            assert torch.equal(gradient, checkpoint.gradients[label])


def test_each_class_can_be_read_without_the_rest(trained, folder):
    kept = [checkpoint.epoch for checkpoint in trained[0]]
    with safe_open(folder / GRADIENTS, framework="pt") as file:
        assert set(file.keys()) == {f"{epoch}/{label}" for epoch in kept for label in range(3)}
    with safe_open(folder / CHECKPOINTS, framework="pt") as file:
        assert f"{kept[-1]}/head.weight" in file.keys()  # noqa: SIM118


def test_a_folder_that_could_not_be_written_whole_is_not_there(trained, tmp_path):
    with pytest.raises(TypeError):
        write_surrogate(tmp_path / "s", trained[0], CLASSES, {"options": object()})
    assert list(tmp_path.iterdir()) == []
