"""Students: a training that follows its protocol and chooses on val alone where there is one."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from lighthouse.runtime.files import write_tensors
from lighthouse.runtime.finite import LossWatch
from lighthouse.students import trainer
from lighthouse.students.augment import normalise
from lighthouse.students.runs import run_students, students_record
from lighthouse.students.trainer import (
    Images,
    Training,
    accuracy,
    at_ipc,
    choosing_part,
    read_pixels,
    read_set,
    score_student,
    train_student,
    training_seed,
)
from toy_students import EVERYTHING, NETWORK, PROTOCOL, Fixed, bars


def odd(data):
    """The same images, all said to be of one class: an early epoch says it most."""
    return Images(data.images, torch.full_like(data.labels, 2))


@pytest.fixture(scope="module")
def trained():
    """A student of the easy problem, with its record."""
    return train_student(bars(60, 0), bars(60, 1), NETWORK, PROTOCOL, ipc=5, seed=0)


# Images.


def test_a_set_has_the_first_images_of_each_class_of_one_seed(tmp_path):
    images = torch.randint(0, 256, (3, 4, 3, 8, 8)).to(torch.uint8)
    write_tensors(tmp_path / "set", {"seed~0": images, "seed~1": images.flip(0)}, {})
    found = read_set(tmp_path / "set", 1, 2)
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    wanted = [images[2, 0], images[2, 1], images[1, 0], images[1, 1], images[0, 0], images[0, 1]]
    assert torch.equal(found.images, torch.stack(wanted))


@pytest.mark.parametrize("size", [12, 17, 40])
def test_images_are_resized_as_pillow_does(size):
    smooth = torch.nn.functional.interpolate(
        torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)), 24, mode="bicubic"
    )
    images = (smooth.clamp(0, 1) * 255).byte()
    found = Images(images, torch.zeros(2)).resized(size)
    assert found.size == size
    for made, image in zip(found.images, images, strict=True):
        pillow = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((size,) * 2, Image.BILINEAR)
        wanted = np.asarray(pillow).transpose(2, 0, 1).astype(int)
        assert np.abs(made.numpy() - wanted).max() <= 1


def test_images_of_the_wanted_size_are_left_as_they_are():
    images = bars(4, 0)
    assert images.resized(16) is images


@pytest.mark.parametrize(("n_val", "part"), [(3, "val"), (0, "test")])
def test_the_best_epoch_is_chosen_on_test_only_where_val_is_empty(tmp_path, n_val, part):
    arrays = {
        name: array
        for key, data in (("val", bars(n_val, 0)), ("test", bars(6, 1)))
        for name, array in ((key, data.images), (f"{key}_labels", data.labels))
    }
    write_tensors(tmp_path / "pixels", arrays, {})
    parts = read_pixels(tmp_path / "pixels")
    assert choosing_part(parts) == part
    assert torch.equal(parts["test"].images, bars(6, 1).images)
    assert len(parts["val"].labels) == n_val


# Protocol.


@pytest.mark.parametrize(("ipc", "epochs", "batch"), [(1, 30, 5), (2, 12, 10), (10, 12, 10)])
def test_the_first_pair_whose_ipc_is_not_exceeded_holds(ipc, epochs, batch):
    assert at_ipc(PROTOCOL, "epochs", ipc) == epochs
    assert at_ipc(PROTOCOL, "batch_size", ipc) == batch


@pytest.mark.parametrize("key", ["epochs", "batch_size"])
def test_an_ipc_beyond_the_protocol_is_an_error(key):
    with pytest.raises(KeyError, match=f"no {key} for IPC 11"):
        at_ipc(PROTOCOL, key, 11)


@pytest.mark.parametrize(("ipc", "batches"), [(1, [5] * 4 + [3]), (5, [10, 10, 3])])
def test_a_pass_has_batches_of_the_protocols_size_and_a_rest(monkeypatch, ipc, batches):
    sizes = []
    monkeypatch.setattr(
        LossWatch, "add", lambda self, loss, out, chosen, what: sizes.append(len(chosen))
    )
    protocol = {**PROTOCOL, "epochs": [[10, 1]], "evaluations": 1}
    train_student(bars(23, 0), bars(3, 1), NETWORK, protocol, ipc, seed=0)
    assert sizes == batches


@pytest.fixture
def rates(monkeypatch):
    """The learning rate of every step of either optimiser."""
    found = []
    for kind in (trainer.AdamW.func, trainer.SGD.func):

        def spy(self, *arguments, step=kind.step):
            found.append(self.param_groups[0]["lr"])
            return step(self, *arguments)

        monkeypatch.setattr(kind, "step", spy)
    return found


ONE_STEP = {**PROTOCOL, "batch_size": [[10, 60]]}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_rate_falls_at_the_stated_shares(rates, optimizer):
    protocol = {**ONE_STEP, "optimizer": optimizer}
    train_student(bars(60, 0), bars(60, 1), NETWORK, protocol, ipc=5, seed=0)
    assert rates == pytest.approx([0.01] * 8 + [0.002] * 2 + [0.0004] * 2)


def test_the_half_cosine_falls_to_a_half(rates):
    protocol = {**ONE_STEP, "schedule": {"kind": "half-cosine"}, "epochs": [[10, 6]]}
    train_student(bars(60, 0), bars(60, 1), NETWORK, protocol, ipc=5, seed=0)
    # At 0°, 15°, …, 75°; the seventh epoch would have half the rate.
    wanted = [0.005 * (1 + math.cos(math.radians(15 * k))) for k in range(6)]
    assert rates == pytest.approx(wanted)


# Training.


@pytest.mark.parametrize(
    ("optimizer", "rate", "curve", "best_epoch", "norm"),
    [
        # What the trainer gave before it had more to choose from than a crop.
        ("adamw", 1e-2, [56, 57, 57, 60], 12, 37.757050),
        ("sgd", 1e-1, [59, 60, 59, 59], 6, 72.993790),
    ],
)
def test_a_training_with_crops_alone_gives_what_it_always_gave(
    optimizer, rate, curve, best_epoch, norm
):
    protocol = {**PROTOCOL, "optimizer": optimizer, "learning_rate": rate}
    network, record = train_student(bars(60, 0), bars(60, 1), NETWORK, protocol, 5, 0)
    assert [round(60 * score) for _, score in record["curve"]] == curve
    assert record["best_epoch"] == best_epoch
    assert network.head.weight.abs().sum().item() == pytest.approx(norm, rel=1e-4)


def test_a_student_learns_an_easy_problem(trained):
    assert accuracy(trained[0], bars(90, 2)) > 0.9


@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_a_student_learns_with_every_augmentation(trained, labels):
    protocol = {
        **PROTOCOL,
        "epochs": [[10, 30]],
        "augment": {**EVERYTHING, "cutmix": True},
        "labels": labels,
        "temperature": 20,
    }
    teacher = trained[0].eval() if labels == "soft" else None
    network, _ = train_student(bars(60, 0), bars(60, 1), NETWORK, protocol, 5, 0, teacher)
    assert accuracy(network, bars(90, 2)) > 0.7


def test_the_same_seed_gives_the_same_student_and_another_seed_another(trained):
    def weights(seed):
        network, _ = train_student(bars(60, 0), bars(60, 1), NETWORK, PROTOCOL, 5, seed)
        return network.head.weight

    assert torch.equal(weights(0), trained[0].head.weight)
    assert not torch.equal(weights(1), trained[0].head.weight)


def test_another_student_of_a_set_starts_and_goes_on_otherwise(monkeypatch):
    orders = []
    monkeypatch.setattr(
        LossWatch, "add", lambda self, loss, out, chosen, what: orders[-1].append(chosen.tolist())
    )
    protocol = {**PROTOCOL, "epochs": [[10, 1]], "learning_rate": 0.0, "weight_decay": 0.0}
    starts = []
    for seed, student_seed in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (0, 1)):
        orders.append([])
        network, _ = train_student(
            bars(60, 0), bars(9, 1), NETWORK, protocol, 5, seed, student_seed=student_seed
        )
        starts.append(tuple(network.head.weight.flatten().tolist()))
    assert orders[1] == orders[5]
    assert starts[1] == starts[5]
    assert len(set(starts)) == len({str(order) for order in orders}) == 5


def test_the_first_student_of_a_set_is_that_of_its_seed_alone():
    assert [training_seed(seed, 0) for seed in range(3)] == [0, 1, 2]
    others = {training_seed(seed, student) for seed in range(20) for student in range(1, 20)}
    assert len(others) == 20 * 19
    assert all(other > 2**32 for other in others)  # none is a seed that a study names


def test_val_is_looked_at_evenly_and_after_the_last_epoch(trained):
    assert [epoch for epoch, _ in trained[1]["curve"]] == [3, 6, 9, 12]


def test_the_best_epoch_is_the_first_of_the_best_on_val(trained):
    _, record = trained
    scores = [score for _, score in record["curve"]]
    assert record["best_epoch"] == record["curve"][scores.index(max(scores))][0]


def test_the_best_state_is_that_of_its_epoch_on_val():
    val = odd(bars(60, 1))
    network, record = train_student(bars(60, 0), val, NETWORK, PROTOCOL, ipc=5, seed=0)
    assert record["best_epoch"] < record["epochs"]
    network.load_state_dict(record["best_state"])
    assert accuracy(network, val) == dict(record["curve"])[record["best_epoch"]]


def test_a_protocol_without_looks_takes_the_last_epoch_for_the_best():
    protocol, parts = {**PROTOCOL, "evaluations": 0}, {"val": bars(0, 1), "test": bars(90, 2)}
    looking, blind = (
        run_students(bars(60, 0), parts, NETWORK, recipe, 5, 0, [0])
        for recipe in (PROTOCOL, protocol)
    )
    assert blind[0]["best_epoch"] == blind[0]["epochs"]
    assert blind[0]["curve"] == []
    assert blind[0]["best"] == blind[0]["last"] == looking[0]["last"]
    assert students_record(blind, parts, {})["best_chosen_on"] == "none"
    assert students_record(looking, parts, {})["best_chosen_on"] == "test"


def test_bf16_is_the_networks_arithmetic_alone():
    types, trained = {}, {}
    for precision in ("fp32", "bf16"):

        def note(layer, given, maps, name=precision):
            types[name] = maps.dtype

        protocol = {**PROTOCOL, "precision": precision}
        training = Training(bars(60, 0), NETWORK, protocol, 20, 6, 0, None)
        training.network.features[0].register_forward_hook(note)
        for epoch in range(1, 7):
            training.run_epoch(epoch)
        trained[precision] = training.network.head.weight
    assert types == {"fp32": torch.float32, "bf16": torch.bfloat16}
    assert trained["bf16"].dtype == torch.float32
    assert not torch.equal(trained["bf16"], trained["fp32"])
    torch.testing.assert_close(trained["bf16"], trained["fp32"], rtol=0.1, atol=0.05)


def test_a_score_has_the_last_epoch_and_the_best_on_val_apart():
    network, record = train_student(bars(60, 0), odd(bars(60, 1)), NETWORK, PROTOCOL, 5, seed=0)
    test, val = bars(90, 2), bars(60, 3)
    last, last_val = accuracy(network, test), accuracy(network, val)
    scores = score_student(network, record, {"val": val, "test": test}, PROTOCOL)
    assert (scores["last"], scores["last_val"]) == (last, last_val)
    network.load_state_dict(record["best_state"])
    assert scores["best"] == accuracy(network, test) != last
    assert accuracy(network, val) != last_val
    assert "best_state" not in scores


def test_without_a_val_part_the_last_epoch_has_no_score_on_it():
    protocol = {**PROTOCOL, "evaluations": 0}
    network, record = train_student(bars(60, 0), bars(0, 1), NETWORK, protocol, 5, seed=0)
    scores = score_student(network, record, {"val": bars(0, 1), "test": bars(9, 2)}, protocol)
    assert scores["last_val"] is None


def test_the_best_on_test_is_the_top_of_the_curve_where_test_was_looked_at():
    test, protocol = bars(60, 1), {**PROTOCOL, "optimizer": "sgd", "learning_rate": 0.1}
    network, record = train_student(bars(60, 0), test, NETWORK, protocol, ipc=5, seed=0)
    scores = score_student(network, record, {"val": bars(0, 1), "test": test}, protocol)
    assert scores["best"] == max(score for _, score in record["curve"]) > scores["last"]
    assert scores["last"] == record["curve"][-1][1]


@pytest.mark.parametrize("evaluations", [0, 12])
def test_a_loss_that_is_not_finite_stops_the_training(evaluations):
    changed = {"optimizer": "sgd", "learning_rate": 1e30, "evaluations": evaluations}
    with pytest.raises(FloatingPointError, match=r"student, epoch \d+: the loss is (nan|inf)"):
        train_student(bars(60, 0), bars(60, 1), NETWORK, {**PROTOCOL, **changed}, ipc=5, seed=0)


def test_accuracy_is_the_share_that_is_right_whatever_the_batch(trained):
    data = bars(90, 2)
    right = trained[0].eval()(normalise(data.images)).argmax(1) == data.labels
    for batch in (7, 512):
        assert accuracy(trained[0], data, batch=batch) == right.sum().item() / 90


def test_large_images_are_looked_at_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(trainer, "EVALUATED_PIXELS", 5 * 16 * 16 + 1)
    network = Fixed()
    accuracy(network, bars(12, 0))
    assert [len(images) for images in network.seen] == [5, 5, 2]


def test_accuracy_sees_images_with_the_colours_of_the_protocol():
    network, data = Fixed(), bars(4, 0)
    accuracy(network, data, [0.2, 0.4, 0.6], [0.1, 0.2, 0.3])
    wanted = normalise(data.images, [0.2, 0.4, 0.6], [0.1, 0.2, 0.3])
    assert torch.equal(network.seen[0], wanted)


# Memory.


def test_too_large_a_batch_is_an_error_that_names_the_one_that_fits(monkeypatch):
    class Small(Fixed):
        room = 3

        def forward(self, images):
            if self.training and len(images) > self.room:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(images)

    monkeypatch.setitem(trainer.NETWORKS, "small", lambda options, size, n_classes: Small())

    def message():
        with pytest.raises(MemoryError) as error:
            train_student(bars(60, 0), bars(3, 1), {"network": "small", "depth": 7}, PROTOCOL, 5, 0)
        return str(error.value)

    assert message() == (
        "students of network small, depth 7: a batch of 10 images of 16 px does not fit in this "
        "machine's memory; 2 fit: lower the protocol's batch_size"
    )
    Small.room = 0
    assert message().endswith("not even 1 fits")
