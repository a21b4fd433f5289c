"""What is kept of pools: under each seed, of all classes, N of each, each once."""

import numpy as np
import pytest
import torch

from lighthouse.runtime.files import write_tensors
from lighthouse.selection.pool import kept, real_features, seen, taken

CLASSES = ["ant", "bee"]


def first_of_all(pool, options):
    """A selection whose choice shows what it was given."""
    assert pool.features.shape[0] == len(pool.classes) == len(pool.real)
    return pool.features[..., 0].argsort(1)[:, : pool.ipc] + options["shift"]


def cell(shift=0, choose="first_of_all"):
    looks = {"features": "elsewhere:loaded"}
    about = {"name": "first", "choose": f"{__name__}:{choose}", "times": 2, "looks": looks}
    return {"ipc": 2, "selection": {**about, "options": {"shift": shift}}}


@pytest.fixture
def features(tmp_path):
    """A file of real images' features: two of the first class, one of the second."""
    held = {"features": np.array([[1.0], [2.0], [3.0]]), "labels": np.array([1, 0, 1])}
    write_tensors(tmp_path / "features", held, {"classes": CLASSES})
    return tmp_path / "features"


SEEN = np.array([[[3, 1, 2, 4], [4, 3, 2, 1]], [[1, 2, 3, 4], [2, 1, 4, 3]]], dtype=float)[
    ..., None
]


def test_each_seed_has_a_pool_of_its_own(features):
    found = kept(cell(), "toy", CLASSES, {"features": SEEN}, [features])
    assert [own.tolist() for own in found] == [[[1, 2], [3, 2]], [[0, 1], [1, 0]]]


def test_real_features_are_those_of_each_class(features):
    classes, real = real_features(features)
    assert classes == CLASSES
    assert [own.ravel().tolist() for own in real] == [[2.0], [1.0, 3.0]]


def test_classes_that_are_not_the_datasets_are_refused(features):
    with pytest.raises(ValueError, match="its classes are not the dataset's"):
        kept(cell(), "toy", ["ant", "cow"], {"features": SEEN}, [features])


def twice(pool, options):
    return np.zeros((2, 2), dtype=np.int64)


def few(pool, options):
    return np.zeros((2, 1), dtype=np.int64)


@pytest.mark.parametrize(("shift", "choose"), [(2, "first_of_all"), (0, "twice"), (0, "few")])
def test_a_selection_that_gives_anything_else_is_refused(features, shift, choose):
    with pytest.raises(ValueError, match="does not give 2 of 4 images of each of 2 classes"):
        kept(cell(shift, choose), "toy", CLASSES, {"features": SEEN}, [features])


def test_images_are_taken_by_class_of_arrays_and_of_tensors():
    pool, positions = np.arange(2 * 4 * 3).reshape(2, 4, 3), np.array([[3, 0], [1, 2]])
    found = taken(pool, positions)
    assert found[:, :, 0].tolist() == [[9, 0], [15, 18]]
    assert np.array_equal(taken(torch.from_numpy(pool), positions).numpy(), found)


def test_images_of_a_class_are_looked_at_without_the_others():
    calls = []

    def look(images):
        calls.append(images.shape)
        return images.flatten(1).float().mean(1, keepdim=True).numpy()

    images = torch.arange(2 * 3 * 4, dtype=torch.uint8).view(2, 3, 4, 1, 1, 1)
    found = seen(look, images.expand(2, 3, 4, 3, 2, 2))
    assert found.shape == (2, 3, 4, 1)
    assert found[1, 2, :, 0].tolist() == [20, 21, 22, 23]
    assert set(calls) == {(4, 3, 2, 2)}
    assert len(calls) == 6
