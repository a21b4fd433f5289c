"""Trainings that are cut short go on where they were, to the same results."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lighthouse.runtime.keeper import Keeper, keeper_of
from lighthouse.students.runs import run_sets
from lighthouse.students.surrogate import train_surrogate
from lighthouse.students.trainer import Training
from toy_students import EVERYTHING, NETWORK, OFF, PROTOCOL, bars

BATCH_NORM = {"network": "resnet", "depth": 18, "norm": "batch"}
DRAWS = {**PROTOCOL, "augment": {**EVERYTHING, "cutmix": True}, "epochs": [[10, 4]]}
SGD = {**DRAWS, "optimizer": "sgd"}
PARTS = {"val": bars(9, 1), "test": bars(12, 2)}
OF_SEED = {seed: bars(15, seed) for seed in (3, 4)}


class Killed(BaseException):
    """What ends a job; no handler of errors sees it."""


@pytest.fixture
def cut(monkeypatch):
    """A function: do some work in one process after the other, each of so many epochs at most."""

    def in_pieces(work, epochs):
        run_epoch = Training.run_epoch
        left = 0

        def counted(training, epoch):
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            run_epoch(training, epoch)

        monkeypatch.setattr(Training, "run_epoch", counted)
        for starts in range(1, 100):
            left = epochs
            try:
                return work(), starts
            except Killed:
                pass
        raise AssertionError("the work does not go on")

    return in_pieces


def students(protocol, network, at_once, keeper):
    seeds, named = OF_SEED, (PARTS, network, protocol, 5, [0, 1])
    return run_sets(OF_SEED.__getitem__, seeds, *named, at_once=at_once, keeper=keeper)


@pytest.mark.parametrize(
    ("protocol", "network", "at_once"),
    [(DRAWS, NETWORK, 1), (SGD, NETWORK, 3), ({**SGD, "epochs": [[10, 2]]}, BATCH_NORM, 1)],
    ids=["adamw, one by one", "sgd, three at once", "batch norm"],
)
def test_students_that_are_cut_short_are_those_that_were_not(
    tmp_path, cut, protocol, network, at_once
):
    undisturbed = students(protocol, network, at_once, None)
    where = tmp_path / "cell.json.checkpoint", "key", 0
    found, starts = cut(lambda: students(protocol, network, at_once, Keeper(*where)), 1)
    assert found == undisturbed
    epochs = protocol["epochs"][0][1] * len(range(0, 4, at_once))
    assert starts == epochs  # each process did one epoch, and none was done again


def test_a_surrogate_that_is_cut_short_is_that_which_was_not(tmp_path, cut):
    options = {"epochs": 6, "learning_rate": 0.01, "batch_size": 8, "threshold": 0.95}
    options["augment"] = {**OFF, "crop_scale": [0.6, 1.0]}
    data, chosen = bars(30, 0), np.arange(0, 30, 2)

    def train(keeper=None):
        return train_surrogate(data, chosen, NETWORK, options, 3, keeper)

    kept, record = train()
    (again, same), starts = cut(lambda: train(Keeper(tmp_path / "checkpoint", "key", 0)), 2)
    assert starts == 3
    assert same == record
    assert [c.epoch for c in again] == [c.epoch for c in kept]
    for one, other in zip(again, kept, strict=True):
        assert torch.equal(one.gradients, other.gradients)
        assert all(torch.equal(one.state[name], t) for name, t in other.state.items())


def test_short_work_leaves_nothing_on_disk(tmp_path):
    students(DRAWS, NETWORK, 1, Keeper(tmp_path / "checkpoint", "key", 60))
    assert not [*tmp_path.iterdir()]


def test_what_is_done_and_how_long_it_took_is_another_processs(tmp_path):
    first = Keeper(tmp_path / "checkpoint", "key", 0)
    first._began -= 100  # seconds of work
    first.finish([{"last": 0.5}, torch.arange(3)])
    second = Keeper(tmp_path / "checkpoint", "key", 0)
    assert second.done[0] == {"last": 0.5}
    assert second.done[1].tolist() == [0, 1, 2]
    assert 100 <= second.spent() < 101


def test_what_other_work_left_is_not_taken(tmp_path):
    Keeper(tmp_path / "checkpoint", "key", 0).finish([1])
    assert Keeper(tmp_path / "checkpoint", "another", 0).done == []


def test_the_state_of_a_piece_is_not_that_of_the_next(tmp_path):
    first, rng = Keeper(tmp_path / "checkpoint", "key", 0), torch.Generator()
    first.note({}, [rng], 7, "noted")
    assert Keeper(tmp_path / "checkpoint", "key", 0).go_on({}, [rng]) == (7, "noted")
    second = Keeper(tmp_path / "checkpoint", "key", 60)
    second.finish([1])  # not written: it is not time
    assert second.go_on({}, [rng]) == (0, None)


def test_a_state_that_does_not_fit_is_begun_anew_and_what_was_done_stays(tmp_path):
    path, rng = tmp_path / "checkpoint", torch.Generator()
    first = Keeper(path, "key", 0)
    first.finish([1])
    first.note({"model": torch.nn.Linear(2, 2)}, [rng], 7, "noted")
    second = Keeper(path, "key", 0)
    assert second.go_on({"model": torch.nn.Linear(2, 3)}, [rng]) == (0, None)
    assert second.done == [1]
    assert [left.name for left in tmp_path.iterdir()] == ["checkpoint.unreadable"]


def test_the_key_of_a_job_is_of_its_code_its_facts_and_what_its_files_hold(tmp_path):
    file = tmp_path / "index.tsv"

    def key(code="c", facts=("f",), text="t"):
        file.write_text(text)
        job = SimpleNamespace(params=SimpleNamespace(code=code, checkpoint_seconds=0))
        return keeper_of(job, str(tmp_path / "record.json"), facts, [str(file)]).key

    keys = [key(), key(code="d"), key(facts=["g"]), key(text="u")]
    assert len(set(keys)) == 4
    assert key() == keys[0]
