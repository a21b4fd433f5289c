"""Students trained at once: each is the one that it would be alone, and they say what fits."""

import warnings
from dataclasses import replace

import pytest
import torch

from lighthouse.students import stacked
from lighthouse.students.networks import NETWORKS, is_stackable
from lighthouse.students.runs import run_sets, run_students
from lighthouse.students.stacked import StackedTraining, train_together
from lighthouse.students.trainer import train_student
from toy_students import EVERYTHING, NETWORK, PROTOCOL, Fixed, bars

ALL = {**EVERYTHING, "cutmix": True}
SGD = {"optimizer": "sgd", "learning_rate": 0.05, "schedule": {"kind": "half-cosine"}}
SOFT = {"labels": "soft", "temperature": 4.0}
#: Of its set and its own, for each of three students; two share a set.
SEEDS = [(0, 0), (0, 1), (7, 0)]
SLOW = {"learning_rate": 1e-3, "epochs": [[10, 2]], "evaluations": 1}
VIT = {"network": "vit", "patch": 4, "depth": 2, "width": 16, "heads": 2}
RESNET_AP = {"network": "resnet-ap", "depth": 10}


@pytest.fixture(scope="module")
def teacher():
    """A network that knows the classes."""
    return train_student(bars(60, 0), bars(60, 1), NETWORK, PROTOCOL, 5, 0)[0].eval()


def sets():
    """Two sets with soft labels of their own, for protocols that ask."""
    drawn = torch.randn(2, 23, 3, generator=torch.Generator().manual_seed(3))
    sets_of = {0: bars(23, 0), 7: bars(23, 5)}
    return {
        seed: replace(of_seed, answers=own)
        for (seed, of_seed), own in zip(sets_of.items(), drawn, strict=True)
    }


def both(network, protocol, teacher=None):
    """The three students trained at once, and one by one."""
    seen, of_seed = bars(60, 1), sets()
    own = [of_seed[seed] for seed, _ in SEEDS]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what vmap would take one by one it warns of
        together = train_together(own, seen, network, protocol, 5, SEEDS, teacher)
    alone = [
        train_student(of_seed[seed], seen, network, protocol, 5, seed, teacher, student_seed)
        for seed, student_seed in SEEDS
    ]
    return together, alone


def close(made, wanted, within):
    """Whether states are the same, but for what an instance norm takes out again.

    A bias in front of one has no gradient but rounding, of which AdamW makes steps.
    """
    assert made.keys() == wanted.keys()
    for name, weights in made.items():
        if not (name.startswith("features.") and name.endswith(("0.bias", "4.bias"))):
            torch.testing.assert_close(weights, wanted[name], rtol=within, atol=within)


def changed(**options):
    # Batches of ten, ten and three.
    return {**PROTOCOL, "epochs": [[10, 6]], "evaluations": 3, **options}


@pytest.mark.parametrize(
    ("network", "options", "within"),
    [
        (NETWORK, {"augment": ALL}, 1e-5),
        (NETWORK, {"augment": ALL, **SGD}, 1e-5),
        (NETWORK, {"augment": ALL, **SOFT}, 1e-5),
        (NETWORK, {"augment": ALL, "labels": "own", "temperature": 4.0, **SGD}, 1e-5),
        # Instance norm of maps of 2 × 2 pixels makes much of little.
        (RESNET_AP, {"augment": ALL, **SGD, **SLOW}, 1e-4),
        (VIT, {"augment": ALL, **SLOW}, 1e-5),
        (VIT, {"augment": ALL, **SGD, **SOFT}, 1e-5),
    ],
    ids=["adamw", "sgd", "soft", "own", "resnet-ap", "vit", "vit, soft"],
)
def test_each_is_the_student_that_it_would_be_alone(network, options, within, teacher):
    protocol = changed(**options)
    together, alone = both(network, protocol, teacher)
    for (made, record), (wanted, record_wanted) in zip(together, alone, strict=True):
        close(made.state_dict(), wanted.state_dict(), within)
        close(record.pop("best_state"), record_wanted.pop("best_state"), within)
        assert record == record_wanted
        assert len(record["curve"]) == protocol["evaluations"]
    heads = [network.head.weight for network, _ in together]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (heads[one] - heads[other]).abs().max() > 100 * within


def test_networks_in_bf16_are_within_its_rounding_of_those_alone():
    protocol = changed(augment=ALL, precision="bf16", epochs=[[10, 2]], evaluations=0)
    together, alone = both(NETWORK, protocol)
    for (made, _), (wanted, _) in zip(together, alone, strict=True):
        assert made.head.weight.dtype == torch.float32
        torch.testing.assert_close(made.head.weight, wanted.head.weight, rtol=0.05, atol=0.02)


def test_a_networks_weights_are_at_any_time_those_of_the_stack():
    of_seed = sets()
    training = StackedTraining(
        [of_seed[0], of_seed[7]], NETWORK, PROTOCOL, 10, 12, [0, 7], teacher=None
    )
    first = training.networks[1].head.weight.clone()
    for epoch in (1, 2):
        training.run_epoch(epoch)
        assert not torch.equal(training.networks[1].head.weight, first)
        for number, network in enumerate(training.networks):
            for name, weight in network.named_parameters():
                assert torch.equal(weight, training.weights[name][number])


@pytest.mark.parametrize(
    ("network", "stackable"),
    [
        (NETWORK, True),
        (RESNET_AP, True),
        (VIT, True),
        ({"network": "resnet", "depth": 10, "norm": "instance"}, True),
        ({"network": "resnet", "depth": 10, "norm": "batch"}, False),
    ],
)
def test_networks_with_running_statistics_are_not_stacked(network, stackable):
    before = torch.get_rng_state()
    assert is_stackable(network, 16) is stackable
    assert torch.equal(torch.get_rng_state(), before)


def test_a_loss_that_is_not_finite_names_the_student():
    of_seed = sets()
    training = StackedTraining([of_seed[0], of_seed[7]], NETWORK, PROTOCOL, 10, 12, [0, 7], None)
    training.networks[1].head.weight.data[0, 0] = float("nan")
    training.run_epoch(1)
    with pytest.raises(
        FloatingPointError, match=r"student 2 of 2 at once, epoch 1: the loss is nan"
    ):
        training.losses.look()


# What fits.


def test_too_many_students_are_an_error_that_names_how_many_fit(monkeypatch):
    room = 2

    class Small(StackedTraining):
        def run_epoch(self, epoch):
            if len(self.networks) > room:
                raise torch.OutOfMemoryError("CUDA out of memory")
            super().run_epoch(epoch)

    monkeypatch.setattr(stacked, "StackedTraining", Small)

    def message():
        with pytest.raises(MemoryError) as error:
            train_together([bars(23, 0)] * 5, bars(3, 1), NETWORK, PROTOCOL, 5, [(0, 0)] * 5)
        return str(error.value)

    assert message() == (
        "students of network convnet, depth 2, width 8: 5 at once, with 10 images of 16 px each, "
        "do not fit in this machine's memory; 2 fit: lower compute.students_at_once"
    )
    room = 0
    assert message().endswith(
        "not even 1 fits: lower the protocol's batch_size and compute.students_at_once"
    )


# The students of a cell.


def cell(network=NETWORK, at_once=1, read=None):
    """The runs of two sets with two students each, and how large the groups were."""
    parts = {"val": bars(12, 1), "test": bars(15, 2)}
    return run_sets(
        read or sets().__getitem__, [0, 7], parts, network, changed(), 5, [0, 1], None, at_once
    )


def test_the_students_of_a_cell_are_trained_so_many_at_once():
    alone, three = cell(), cell(at_once=3)
    pairs = [(0, 0), (0, 1), (7, 0), (7, 1)]
    for made in (alone, three):
        assert [(run["seed"], run["student_seed"]) for run in made] == pairs
    assert [run.pop("at_once", None) for run in three] == [3, 3, 3, None]
    assert three == alone
    assert not any("at_once" in run for run in alone)


def test_one_at_once_is_each_set_by_itself():
    parts = {"val": bars(12, 1), "test": bars(15, 2)}
    of_seed, apart = sets(), []
    for seed in (0, 7):
        apart += run_students(of_seed[seed], parts, NETWORK, changed(), 5, seed, [0, 1])
    assert cell() == apart


def test_networks_that_cannot_be_stacked_are_trained_one_by_one(monkeypatch):
    monkeypatch.setitem(NETWORKS, "fixed", lambda options, size, n_classes: _WithBuffer())
    assert not any("at_once" in run for run in cell({"network": "fixed"}, at_once=4))


class _WithBuffer(Fixed):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))


def test_a_set_is_read_once_and_let_go_of_behind_its_students():
    asked, of_seed = [], sets()

    def read(seed):
        asked.append(seed)
        return of_seed[seed]

    for at_once in (1, 2, 3, 4):
        asked.clear()
        cell(at_once=at_once, read=read)
        assert asked == [0, 7]
