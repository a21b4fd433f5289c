"""Finished sets as others publish them: orders of classes, more images than asked, soft labels."""

import numpy as np
import pytest

from lighthouse.datasets.external import (
    Way,
    class_folders,
    fingerprint,
    numbered,
    problems,
    read_external,
    read_own_labels,
)
from lighthouse.datasets.labels import LABELS
from lighthouse.datasets.numbering import numbering
from lighthouse.datasets.soft_labels import agreement
from lighthouse.runtime.errors import DataError
from pictures import noise

#: Not in alphabetical order.
CLASSES = ["cat", "ant", "bee"]
NETTE = [entry.wnid for entry in LABELS["imagenette"].classes]
WOOF = [entry.wnid for entry in LABELS["imagewoof"].classes]


def a_set(root, folders, images=1):
    """Folders of images 0.png, 1.png, …; no two images are alike."""
    for number, name in enumerate(folders):
        for image in range(images):
            noise(root / name / f"{image}.png", side=8, seed=100 * number + image)
    return root


def one_problem(root, classes=CLASSES, ipc=1, **way):
    (line,) = problems(root, ipc, classes, [0], Way(**way))
    return line


# Numbers of classes.


@pytest.mark.parametrize("spell", ["{}", "{:05d}", "new{:03d}", "class_{}"])
def test_numbers_of_imagenet_are_those_of_its_classes(tmp_path, spell):
    given = {entry.wnid: spell.format(entry.index) for entry in LABELS["imagewoof"].classes}
    root = a_set(tmp_path, given.values())
    assert problems(root, 1, WOOF, [0], Way("imagenet")) == []
    assert class_folders(root, WOOF, "imagenet") == given
    words = f"taken in ImageNet-1K's order: {spell.format(193)} is n02096294, "
    assert words in numbered(root, WOOF, "imagenet")
    # The images of a class are those of the folder with its number.
    found = read_external(root, 1, WOOF, 8, way=Way("imagenet"))
    assert np.array_equal(found, read_external(root, 1, list(given.values()), 8))


def test_numbers_are_not_taken_in_an_order_that_is_not_told(tmp_path):
    root = a_set(tmp_path, [str(entry.index) for entry in LABELS["imagenette"].classes])
    told = "\n".join(problems(root, 1, NETTE, [0]))
    assert "or the numbers 0 to 9 for all classes" in told
    assert "these are all classes with `order: imagenet`" in told
    other = "\n".join(
        problems(a_set(tmp_path / "b", map(str, range(10))), 1, NETTE, [0], Way("imagenet"))
    )
    assert "the numbers 0, 217, 482, 491, 497 … (ImageNet-1K's order)" in other
    assert "these are all classes with `order: dataset`" in other


def test_wnids_are_names_in_any_order(tmp_path):
    root = a_set(tmp_path, NETTE)
    for order in ("dataset", "imagenet"):
        assert problems(root, 1, NETTE, [0], Way(order)) == []
        assert class_folders(root, NETTE, order) == {name: name for name in NETTE}
        assert numbered(root, NETTE, order) is None


def test_a_file_of_names_tells_the_order_even_of_more_classes(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("dog\nbee\r\ncat\nant\n\n", encoding="utf-8")
    root = a_set(tmp_path / "set", ["new001", "new002", "new003"])
    way = Way(order=str(names))
    assert numbering(str(names), CLASSES)[:2] == ((2, 3, 1), 4)
    assert problems(root, 1, CLASSES, [0], way) == []
    assert class_folders(root, CLASSES, way.order) == {
        "cat": "new002",
        "ant": "new003",
        "bee": "new001",
    }


@pytest.mark.parametrize("text", ["cat\nant\n", "cat\nant\nbee\ncat\n", "cat\nbee\nant\nbee"])
def test_a_file_without_a_class_or_with_one_twice_is_told(tmp_path, text):
    names = tmp_path / "names.txt"
    names.write_text(text, encoding="utf-8")
    root = a_set(tmp_path / "set", "012")
    line = one_problem(root, order=str(names))
    assert line.startswith(f"{names}: ") and "of its lines; allowed: the name of each class" in line


def test_a_file_of_names_that_is_not_there_is_told(tmp_path):
    root = a_set(tmp_path / "set", "012")
    line = one_problem(root, order=str(tmp_path / "absent.txt"))
    assert line.startswith(f"{tmp_path / 'absent.txt'}: no such file; allowed: dataset, imagenet")


def test_a_file_of_names_may_begin_with_a_mark_of_its_coding(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("cat\nant\nbee\n", encoding="utf-8-sig")
    assert numbering(str(names), CLASSES).numbers == (0, 1, 2)


def test_a_file_of_names_in_another_coding_is_told(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("cat\nant\nbeé\n", encoding="latin-1")
    line = one_problem(a_set(tmp_path / "set", "012"), order=str(names))
    assert line == f"{names} cannot be read as a list of classes (not in UTF-8)"


def test_classes_without_a_number_in_imagenet_are_told(tmp_path):
    line = one_problem(a_set(tmp_path, "012"), order="imagenet")
    assert "order 'imagenet': no ImageNet label is known of 3 of 3 classes: cat, ant, bee" in line


@pytest.mark.parametrize("folders", [["a0", "b1", "a2"], ["0", "00", "1"], ["0", "1", "bee"]])
def test_folders_that_are_not_all_numbers_alike_are_no_numbers(tmp_path, folders):
    told = "\n".join(problems(a_set(tmp_path, folders), 1, CLASSES, [0]))
    assert "without a folder" in told and "that are no class" in told


def test_folders_of_which_one_has_the_name_of_a_class_are_names(tmp_path):
    # Of the classes class1 to class3 class0 would be the first by its number.
    classes = ["class1", "class2", "class3"]
    told = "\n".join(problems(a_set(tmp_path, ["class0", "class1", "class2"]), 1, classes, [0]))
    assert "without a folder: class3" in told and "no class: class0" in told


# More images than the ipc.


def test_the_first_images_by_file_name_are_taken_where_that_is_said(tmp_path):
    root = a_set(tmp_path, CLASSES, images=11)
    line = one_problem(root, ipc=3)
    assert "whose number of images is not the ipc, 3: cat (11), ant (11), bee (11)" in line
    assert line.endswith("; `take: first` takes the first 3 of each by file name")
    way = Way(take="first")
    assert problems(root, 3, CLASSES, [0], way) == []
    found, whole = read_external(root, 3, CLASSES, 8, way=way), read_external(root, 11, CLASSES, 8)
    assert np.array_equal(found, whole[:, :3])
    # By their names: 0.png, 1.png, 10.png.
    (root / "cat" / "10.png").unlink()
    assert np.array_equal(read_external(root, 3, CLASSES, 8, way=way)[0, :2], found[0, :2])
    assert not np.array_equal(read_external(root, 3, CLASSES, 8, way=way)[0], found[0])


def test_fewer_images_than_the_ipc_are_told_of_the_first_too(tmp_path):
    root = a_set(tmp_path, CLASSES, images=2)
    assert "`take: first`" not in one_problem(root, ipc=3)
    line = one_problem(root, ipc=3, take="first")
    assert "3 classes of fewer images than the ipc, 3: cat (2), ant (2), bee (2)" in line


# Soft labels.


def with_labels(root, folders, images, columns, kind=np.float32):
    """A set with labels.npy: softmax of noise, a row an image in the order of ImageFolder."""
    a_set(root, folders, images)
    logits = np.random.default_rng(0).normal(size=(len(folders) * images, columns))
    values = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.save(root / "labels.npy", values.astype(kind))
    return values


@pytest.mark.parametrize("take", ["all", "first"])
def test_own_labels_are_of_the_images_in_the_order_of_folders_and_files(tmp_path, take):
    values = with_labels(tmp_path, CLASSES, 2, 3)
    ipc = 2 if take == "all" else 1
    way = Way(take=take, labels="probabilities")
    assert problems(tmp_path, ipc, CLASSES, [0], way) == []
    found = read_own_labels(tmp_path, ipc, CLASSES, way)
    assert found.shape == (3, ipc, 3) and found.dtype == np.float32
    # By name the folders are ant, bee, cat; columns are the dataset's: cat, ant, bee.
    expected = np.stack([values[4 : 4 + ipc], values[:ipc], values[2 : 2 + ipc]])
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-5)


def test_columns_of_imagenet_are_cut_to_the_datasets_classes(tmp_path):
    values = with_labels(
        tmp_path, [f"{entry.index:05d}" for entry in LABELS["imagewoof"].classes], 1, 1000
    )
    for kind in ("probabilities", "logits"):
        way = Way(order="imagenet", labels=kind)
        assert problems(tmp_path, 1, WOOF, [0], way) == []
        found = read_own_labels(tmp_path, 1, WOOF, way)
        numbers = [entry.index for entry in LABELS["imagewoof"].classes]
        rank = {number: row for row, number in enumerate(sorted(numbers))}
        rows = values[[rank[number] for number in numbers]][:, numbers]
        np.testing.assert_allclose(
            found[:, 0], np.log(rows) if kind != "logits" else rows, rtol=1e-5
        )


def test_agreement_is_the_share_of_images_whose_likeliest_class_is_their_folders():
    labels = np.log(np.array([[[0.6, 0.4], [0.3, 0.7]], [[0.1, 0.9], [0.2, 0.8]]]))
    assert agreement(labels) == 0.75


def test_half_precision_is_read_and_a_zero_is_minus_infinity(tmp_path):
    with_labels(tmp_path, CLASSES, 1, 3)
    np.save(tmp_path / "labels.npy", np.eye(3, dtype=np.float16))
    found = read_own_labels(tmp_path, 1, CLASSES, Way(labels="probabilities"))[0, 0]
    assert found.tolist() == [-np.inf, -np.inf, 0.0]


def test_logits_may_be_the_logarithms_of_hard_labels(tmp_path):
    with_labels(tmp_path, CLASSES, 1, 3)
    with np.errstate(divide="ignore"):
        np.save(tmp_path / "labels.npy", np.log(np.eye(3)))
    found = read_own_labels(tmp_path, 1, CLASSES, Way(labels="logits"))
    np.save(tmp_path / "labels.npy", np.eye(3))
    same = read_own_labels(tmp_path, 1, CLASSES, Way(labels="probabilities"))
    assert np.array_equal(found, same)


def test_a_label_file_of_another_shape_or_kind_is_told(tmp_path):
    with_labels(tmp_path, CLASSES, 2, 3)
    way = {"labels": "probabilities"}
    (tmp_path / "labels.npy").rename(tmp_path / "kept.npy")
    assert f"{tmp_path / 'labels.npy'}: no such file; allowed: an array of 6 images × 3" in (
        one_problem(tmp_path, ipc=2, **way)
    )
    wrong = {
        "holds float64 of the shape (3, 3); allowed: floats of the shape (6, 3)": np.zeros((3, 3)),
        "holds int64 of the shape (6, 3)": np.zeros((6, 3), np.int64),
        "is no whole array of numbers in numpy's format": np.array([{"a": 1}], object),
    }
    for words, array in wrong.items():
        np.save(tmp_path / "labels.npy", array, allow_pickle=True)
        assert words in one_problem(tmp_path, ipc=2, **way)
    (tmp_path / "labels.npy").write_bytes(b"PK no zip")
    assert "is no whole array" in one_problem(tmp_path, ipc=2, **way)


@pytest.mark.parametrize(
    ("kind", "row", "words"),
    [
        ("probabilities", [0.5, 0.6, 0.4], "no probabilities"),
        ("probabilities", [1.5, -0.5, 0.0], "no probabilities"),
        ("logits", [1.0, np.nan, 0.0], "no logits"),
        ("logits", [1.0, np.inf, 0.0], "no logits"),
    ],
)
def test_values_that_are_no_labels_are_refused_with_their_row(tmp_path, kind, row, words):
    values = with_labels(tmp_path, CLASSES, 1, 3).copy()
    values[1] = row  # of bee, the second folder by name
    np.save(tmp_path / "labels.npy", values)
    with pytest.raises(DataError, match=rf"labels.npy: row 1 \(the first is 0\) is {words}"):
        read_own_labels(tmp_path, 1, CLASSES, Way(labels=kind))


def test_a_label_of_no_class_of_the_dataset_is_refused(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("cat\nant\nbee\ndog\n", encoding="utf-8")
    with_labels(tmp_path / "set", CLASSES, 1, 4)
    np.save(tmp_path / "set" / "labels.npy", np.eye(4)[[0, 1, 3]])
    with pytest.raises(DataError, match=r"row 2 .* is 0 for every class of the dataset"):
        read_own_labels(tmp_path / "set", 1, CLASSES, Way(str(names), labels="probabilities"))


def test_a_fingerprint_follows_the_label_file_and_the_file_of_names(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("cat\nant\nbee\n", encoding="utf-8")
    with_labels(tmp_path / "set", CLASSES, 1, 3)
    way = Way(str(names), labels="probabilities")
    first = fingerprint(tmp_path / "set", way)
    assert fingerprint(tmp_path / "set", way) == first
    with_labels(tmp_path / "set", CLASSES, 1, 4)
    second = fingerprint(tmp_path / "set", way)
    names.write_text("cat\nbee\nant\n\n", encoding="utf-8")
    assert len({first, second, fingerprint(tmp_path / "set", way)}) == 3
