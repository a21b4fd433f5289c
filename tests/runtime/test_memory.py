"""The largest batch that fits, found by trial."""

import weakref

import pytest
import torch

from lighthouse.runtime.memory import capacity, largest_that_fits


def device_of(room, tried):
    """A trial step on a device with room for a batch of ``room``."""

    def trial(size):
        tried.append(size)
        if size > room:
            raise torch.OutOfMemoryError("CUDA out of memory")

    return trial


@pytest.mark.parametrize(
    ("start", "room", "found", "sizes"),
    [
        (64, 64, 64, [64]),
        (64, 20, 16, [64, 32, 16]),
        (50, 7, 6, [50, 25, 12, 6]),
        (5, 1, 1, [5, 2, 1]),
        (4, 0, 0, [4, 2, 1]),
    ],
)
def test_sizes_are_halved_until_one_fits(start, room, found, sizes):
    tried = []
    assert largest_that_fits(device_of(room, tried), start) == found
    assert tried == sizes


def test_another_error_of_a_trial_is_not_a_lack_of_memory():
    def trial(size):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        largest_that_fits(trial, 8)


def test_a_failed_trial_keeps_no_tensor_for_the_next():
    kept = []

    def trial(size):
        assert not [tensor for tensor in kept if tensor() is not None]
        tensor = torch.zeros(size)
        kept.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert largest_that_fits(trial, 8) == 0
    assert len(kept) == 4


def test_a_machine_without_an_accelerator_has_memory_of_its_own():
    assert capacity("cpu") == capacity(torch.device("cpu")) == "this machine's memory"
