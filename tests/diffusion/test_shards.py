"""Shards put together: the classes in their order, none twice, none from another run."""

import numpy as np
import pytest

from lighthouse.diffusion.shards import gather
from lighthouse.runtime.files import read_about, read_arrays, write_tensors

CLASSES = ["ant", "bee", "cat"]


def shard(folder, name, first, classes, **about):
    """A file of two seeds whose numbers are those of its classes."""
    rows = np.arange(first, first + len(classes))[:, None, None] + np.zeros((1, 2, 3))
    record = {"classes": classes, "options": {"steps": 5}, **about}
    write_tensors(folder / name, {"seed~0": rows, "seed~4": rows + 10}, record)
    return folder / name


def test_classes_lie_behind_each_other_under_every_seed(tmp_path):
    shards = [shard(tmp_path, "0", 0, CLASSES[:2]), shard(tmp_path, "1", 2, CLASSES[2:])]
    gather(shards, tmp_path / "all", CLASSES)
    found = read_arrays(tmp_path / "all")
    assert found.keys() == {"seed~0", "seed~4"}
    assert found["seed~0"].shape == (3, 2, 3)
    assert found["seed~4"][:, 0, 0].tolist() == [10, 11, 12]
    assert read_about(tmp_path / "all") == {"classes": CLASSES, "options": {"steps": 5}}


@pytest.mark.parametrize(
    ("parts", "odd"),
    [
        ([["ant"], ["bee"]], "cat"),
        ([["ant", "bee"], ["bee", "cat"]], "twice"),
        ([["cat"], ["ant", "bee"]], "another order"),
        ([["ant", "bee"], ["cat", "dog"]], "dog"),
    ],
)
def test_classes_that_are_not_the_datasets_are_refused(tmp_path, parts, odd):
    shards = [shard(tmp_path, str(i), 0, part) for i, part in enumerate(parts)]
    with pytest.raises(ValueError, match=odd):
        gather(shards, tmp_path / "all", CLASSES)
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("about", "key"), [({"options": {"steps": 6}}, "options"), ({"prior": "other"}, "prior")]
)
def test_a_shard_of_another_run_is_named(tmp_path, about, key):
    shards = [
        shard(tmp_path, "0", 0, CLASSES[:2]),
        shard(tmp_path, "odd", 2, CLASSES[2:], **about),
    ]
    with pytest.raises(ValueError, match=rf"odd was made in another way .* \({key}\)"):
        gather(shards, tmp_path / "all", CLASSES)
