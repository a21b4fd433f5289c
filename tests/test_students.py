"""Students: their sizes, their augmentation, and a training that chooses on val alone."""

import pytest
import torch

from lighthouse.students.augment import random_resized_crop
from lighthouse.students.networks import NETWORKS, ConvNet
from lighthouse.students.trainer import (
    Images,
    accuracy,
    epochs_for,
    normalise,
    score_student,
    train_student,
)

NETWORK = {"network": "convnet", "depth": 2, "width": 8}
PROTOCOL = {
    "optimizer": "adamw",
    "learning_rate": 1e-2,
    "weight_decay": 0.01,
    "batch_size": 10,
    "epochs": [[1, 30], [10, 12]],
    "lr_decay": {"factor": 0.2, "at": [0.6667, 0.8333]},
    "crop_scale": [0.6, 1.0],
    "evaluations": 4,
}


def bars(n, seed, size=16):
    """An easy problem: a bright bar lies across (0), stands (1), or is absent (2)."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    images = torch.randint(0, 100, (n, 3, size, size), generator=rng)
    places = torch.randint(2, size - 2, (n,), generator=rng)
    for image, label, place in zip(images, labels, places, strict=True):
        if label == 0:
            image[:, place] = 255
        elif label == 1:
            image[:, :, place] = 255
    return Images(images.to(torch.uint8), labels)


@pytest.fixture(scope="module")
def trained():
    """A student of the easy problem, with its record."""
    return train_student(bars(60, 0), bars(60, 1), NETWORK, PROTOCOL, ipc=5, seed=0)


# Networks.


def size(depth, width, image_size, n_classes):
    """Parameters of a ConvNet: convolutions, norms, head."""
    first = 3 * width * 9 + width
    others = (depth - 1) * (width * width * 9 + width)
    side = image_size // 2**depth
    return first + others + depth * 2 * width + width * side**2 * n_classes + n_classes


@pytest.mark.parametrize(
    ("shape", "published"),
    [
        ((6, 128, 224, 10), 754_570),
        ((6, 128, 256, 10), 763_530),
        ((3, 16, 32, 10), None),
        ((5, 8, 40, 7), None),
    ],
)
def test_a_convnet_has_the_parameters_of_the_formula(shape, published):
    count = sum(p.numel() for p in ConvNet(*shape).parameters())
    assert count == size(*shape) == (published or count)


def test_a_convnet_gives_a_logit_a_class():
    network = NETWORKS["convnet"](NETWORK, 16, 7)
    assert network(torch.zeros(4, 3, 16, 16)).shape == (4, 7)


def test_normalised_images_lie_between_minus_one_and_one():
    found = normalise(torch.tensor([0, 255], dtype=torch.uint8))
    assert found.tolist() == [-1, 1]


# Augmentation.


def random_images(n=16, size=12):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(0))


def crop(images, scale=(0.5, 1.0), seed=0):
    return random_resized_crop(images, scale, torch.Generator().manual_seed(seed))


def test_a_crop_keeps_shape_and_range():
    images = random_images()
    cropped = crop(images)
    assert cropped.shape == images.shape
    assert cropped.min() >= images.min() - 1e-6
    assert cropped.max() <= images.max() + 1e-6


def test_each_image_is_cropped_in_its_own_way():
    cropped = crop(random_images(1).repeat(8, 1, 1, 1))
    assert len({tuple(image.flatten().tolist()) for image in cropped}) == 8


def test_the_same_generator_crops_the_same_way():
    assert torch.equal(crop(random_images()), crop(random_images()))
    assert not torch.equal(crop(random_images()), crop(random_images(), seed=1))


def spans(scale, axis, n=400):
    """Share of the width (axis 3) or height (axis 2) that each crop keeps."""
    ramp = torch.linspace(-1, 1, 32)
    ramp = ramp.view(1, 1, 1, 32) if axis == 3 else ramp.view(1, 1, 32, 1)
    cropped = crop(ramp.expand(n, 3, 32, 32).contiguous(), scale)
    line = cropped[:, 0, 16] if axis == 3 else cropped[:, 0, :, 16]
    return (line[:, 20] - line[:, 11]) / (ramp.flatten()[20] - ramp.flatten()[11])


def test_a_crop_keeps_the_share_of_the_area_that_the_scale_says():
    area = spans((0.25, 0.5), 3) * spans((0.25, 0.5), 2)
    assert area.min() > 0.24
    assert area.max() < 0.51
    assert area.mean().item() == pytest.approx(0.375, abs=0.02)


def test_a_crop_has_aspects_of_three_quarters_to_four_thirds():
    aspect = spans((0.25, 0.5), 3) / spans((0.25, 0.5), 2)
    assert aspect.min() == pytest.approx(3 / 4, abs=0.03)
    assert aspect.max() == pytest.approx(4 / 3, abs=0.03)


# Training.


@pytest.mark.parametrize(("ipc", "epochs"), [(1, 30), (2, 12), (10, 12)])
def test_the_first_pair_whose_ipc_is_not_exceeded_gives_the_epochs(ipc, epochs):
    assert epochs_for(PROTOCOL, ipc) == epochs


def test_an_ipc_beyond_the_protocol_is_an_error():
    with pytest.raises(KeyError, match="no epochs for IPC 11"):
        epochs_for(PROTOCOL, 11)


def test_a_student_learns_an_easy_problem(trained):
    assert accuracy(trained[0], bars(90, 2)) > 0.9


def test_the_same_seed_gives_the_same_student_and_another_seed_another(trained):
    def weights(seed):
        network, _ = train_student(bars(60, 0), bars(60, 1), NETWORK, PROTOCOL, 5, seed)
        return network.head.weight

    assert torch.equal(weights(0), trained[0].head.weight)
    assert not torch.equal(weights(1), trained[0].head.weight)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_rate_falls_at_the_stated_shares(monkeypatch, optimizer):
    rates = []
    kind = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[optimizer]
    step = kind.step

    def spy(self, *arguments):
        rates.append(round(self.param_groups[0]["lr"], 6))
        return step(self, *arguments)

    monkeypatch.setattr(kind, "step", spy)
    protocol = {**PROTOCOL, "optimizer": optimizer, "batch_size": 60}
    train_student(bars(60, 0), bars(60, 1), NETWORK, protocol, ipc=5, seed=0)
    assert rates == [0.01] * 8 + [0.002] * 2 + [0.0004] * 2


def test_val_is_looked_at_evenly_and_after_the_last_epoch(trained):
    assert [epoch for epoch, _ in trained[1]["curve"]] == [3, 6, 9, 12]


def test_the_best_epoch_is_the_first_of_the_best_on_val(trained):
    _, record = trained
    scores = [score for _, score in record["curve"]]
    assert record["best_epoch"] == record["curve"][scores.index(max(scores))][0]


def test_the_best_state_is_that_of_its_epoch_on_val():
    # All labels of val are one class: the best epoch is the one that says it most.
    val = bars(60, 1)
    odd = Images(val.images, torch.full_like(val.labels, 2))
    network, record = train_student(bars(60, 0), odd, NETWORK, PROTOCOL, ipc=5, seed=0)
    assert record["best_epoch"] < record["epochs"]
    network.load_state_dict(record["best_state"])
    assert accuracy(network, odd) == dict(record["curve"])[record["best_epoch"]]


def test_a_score_has_the_last_epoch_and_the_best_on_val_apart():
    val = bars(60, 1)
    odd = Images(val.images, torch.full_like(val.labels, 2))
    network, record = train_student(bars(60, 0), odd, NETWORK, PROTOCOL, ipc=5, seed=0)
    test = bars(90, 2)
    last = accuracy(network, test)
    scores = score_student(network, record, test)
    assert scores["last"] == last
    network.load_state_dict(record["best_state"])
    assert scores["best"] == accuracy(network, test) != last
    assert "best_state" not in scores


def test_a_loss_that_is_not_finite_stops_the_training():
    protocol = {**PROTOCOL, "optimizer": "sgd", "learning_rate": 1e30}
    with pytest.raises(FloatingPointError, match=r"student, epoch \d+: the loss is (nan|inf)"):
        train_student(bars(60, 0), bars(60, 1), NETWORK, protocol, ipc=5, seed=0)


def test_accuracy_is_the_share_that_is_right_whatever_the_batch(trained):
    data = bars(90, 2)
    right = trained[0].eval()(normalise(data.images)).argmax(1) == data.labels
    for batch in (7, 512):
        assert accuracy(trained[0], data, batch) == right.sum().item() / 90
