"""Datasets: the digits' split is fixed, images are as described, exports load elsewhere."""

import hashlib
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from lighthouse.datasets.digits import CLASS_COUNTS, build, smallest_class, split
from lighthouse.datasets.export import write_class_folders
from lighthouse.datasets.index import PARTS, ImageIndex, read_image
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json, write_json, write_tensors
from lighthouse.tables import write_rows
from pictures import noise
from repository import ROOT

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
DIGITS = CONFIG["datasets"]["digits"]
FROZEN_INDEX = "bef7fce9948fb7cb"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The digits with the shipped split, small."""
    folder = tmp_path_factory.mktemp("digits")
    build({**DIGITS, "image_size": 16}, folder)
    return ImageIndex.read(folder / "index.tsv")


def test_the_split_of_the_digits_is_frozen(digits):
    text = (digits.root / "index.tsv").read_bytes()
    assert hashlib.sha256(text).hexdigest()[:16] == FROZEN_INDEX


def test_the_parts_have_the_stated_sizes(digits):
    assert {part: len(digits.labels(part)) for part in PARTS} == DIGITS["parts"]


def test_no_image_is_in_two_parts(digits):
    numbers = [Path(row[3]).name for row in digits.rows]
    assert len(set(numbers)) == len(numbers) == sum(CLASS_COUNTS)


def test_the_parts_are_stratified(digits):
    for part in PARTS:
        counts = np.bincount(digits.labels(part), minlength=10)
        expected = np.array(CLASS_COUNTS) * len(digits.labels(part)) / sum(CLASS_COUNTS)
        assert np.abs(counts - expected).max() <= 1.5


def test_the_class_counts_are_those_of_the_data(digits):
    counts = Counter(row[1] for row in digits.rows)
    assert tuple(counts[label] for label in range(10)) == CLASS_COUNTS


def test_another_seed_gives_another_split():
    labels = np.repeat(np.arange(10), 20)
    sizes = {"train": 100, "val": 50, "test": 50}
    assert split(labels, sizes, 0) == split(labels, sizes, 0) != split(labels, sizes, 1)


@pytest.mark.parametrize("train", [100, 500, 1000, 1500])
def test_every_class_has_at_least_as_many_training_images_as_promised(train):
    labels = np.repeat(np.arange(10), CLASS_COUNTS)
    sizes = {"train": train, "val": 100, "test": sum(CLASS_COUNTS) - train - 100}
    parts = np.array(split(labels, sizes, 0))
    true = np.bincount(labels[parts == "train"]).min()
    assert true - 1 <= smallest_class({"parts": sizes}) <= true


def test_classes_are_in_the_order_of_labels(digits):
    assert digits.classes == [str(digit) for digit in range(10)]


def test_images_are_bytes_in_colour_of_the_size(digits):
    images = digits.images("val", 16)
    assert images.shape == (297, 3, 16, 16)
    assert images.dtype == np.uint8
    assert np.array_equal(images[:, 0], images[:, 1])  # the digits are grey
    assert images.min() == 0
    assert images.max() == 255


def test_images_and_labels_of_a_part_are_in_one_order(digits):
    position = 17
    row = [row for row in digits.rows if row[0] == "test"][position]
    assert digits.labels("test")[position] == row[1]
    assert np.array_equal(digits.images("test", 16)[position], read_image(digits.root / row[3], 16))


def striped(width, height, path):
    """An image whose red value is its column and whose green value is its row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width)
    pixels[..., 1] = np.arange(height)[:, None]
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(("width", "height"), [(40, 20), (20, 40)])
def test_an_oblong_image_has_its_centre_cut_out(tmp_path, width, height):
    found = read_image(striped(width, height, tmp_path / "a.png"), 20)
    left, top = (width - 20) // 2, (height - 20) // 2
    assert found.shape == (3, 20, 20)
    assert found[0, 0].tolist() == list(range(left, left + 20))
    assert found[1, :, 0].tolist() == list(range(top, top + 20))


def test_the_shorter_side_is_scaled_to_the_size(tmp_path):
    found = read_image(striped(80, 40, tmp_path / "a.png"), 20)
    assert found.shape == (3, 20, 20)
    assert np.allclose(found[0, 0], 20.5 + 2 * np.arange(20), atol=1)


def test_an_image_of_the_size_is_read_as_it_is(tmp_path):
    found = read_image(striped(20, 20, tmp_path / "a.png"), 20)
    assert found[0, 3].tolist() == list(range(20))


def test_a_grey_image_becomes_colour(tmp_path):
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", 8) == 7).all()


# Reading.


@pytest.fixture
def noisy(tmp_path):
    """An index of seven training images: relative paths, and one absolute."""
    paths = [noise(tmp_path / "a" / f"{k}.png", seed=k) for k in range(7)]
    rows = [
        ("train", k % 2, "ab"[k % 2], f"{path.relative_to(tmp_path)}")
        for k, path in enumerate(paths)
    ]
    rows[3] = (*rows[3][:3], str(paths[3]))
    ImageIndex.write(tmp_path / "index.tsv", rows)
    return ImageIndex.read(tmp_path / "index.tsv")


def test_resize_scales_the_shorter_side_beyond_the_cut(tmp_path):
    path = striped(48, 32, tmp_path / "a.png")
    found = read_image(path, 28, resize=32 / 28)
    assert found.shape == (3, 28, 28)
    assert found[0, 0].tolist() == list(range(10, 38))
    assert found[1, :, 0].tolist() == list(range(2, 30))


@pytest.mark.parametrize("batch", [1, 3, 7, 100])
@pytest.mark.parametrize("threads", [1, 3])
def test_batches_are_all_images_in_order(noisy, batch, threads):
    parts = list(noisy.batches("train", 8, batch, threads))
    assert [len(part) for part in parts[:-1]] == [batch] * (len(parts) - 1)
    expected = [read_image(path, 8) for path in noisy.paths("train")]
    assert np.array_equal(np.concatenate(parts), expected)
    assert np.array_equal(noisy.images("train", 8), expected)


def test_batches_of_chosen_rows_keep_their_order(noisy):
    rows = [5, 0, 5, 3]
    expected = noisy.images("train", 8)[rows]
    assert np.array_equal(np.concatenate(list(noisy.batches("train", 8, 3, 2, rows))), expected)
    assert np.array_equal(noisy.images("train", 8, rows=rows), expected)


def test_only_a_few_batches_are_decoded_ahead(noisy, monkeypatch):
    from lighthouse.datasets import index

    read = []
    monkeypatch.setattr(index, "read_image", lambda path, *_: read.append(path) or np.zeros(1))
    batches = noisy.batches("train", 8, 1, 1)
    next(batches)
    batches.close()
    assert len(read) <= 1 + index.AHEAD


def test_a_part_without_images_is_empty(noisy):
    assert noisy.images("val", 8).shape == (0, 3, 8, 8)
    assert noisy.labels("val").shape == (0,)
    assert list(noisy.batches("val", 8, 4, 2)) == []


def test_a_truncated_image_is_named(noisy):
    path = noisy.paths("train")[2]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=re.escape(str(path))):
        noisy.images("train", 8, threads=2)


# Distilled sets as folders.

NAMES = ["ant", "bee", "cat"]


@pytest.fixture
def exported(tmp_path):
    rng = np.random.default_rng(0)
    sets = {f"seed~{s}": rng.integers(0, 256, (3, 2, 3, 8, 8), np.uint8) for s in range(2)}
    write_class_folders(tmp_path / "out", sets, {"classes": NAMES, "ipc": 2})
    return tmp_path / "out", sets


def test_an_exported_set_loads_as_an_image_folder(exported):
    from torchvision.datasets import ImageFolder

    folder, sets = exported
    for name, images in sets.items():
        loaded = ImageFolder(str(folder / name))
        assert loaded.classes == NAMES
        assert [label for _, label in loaded] == [0, 0, 1, 1, 2, 2]
        pixels = np.stack([np.asarray(image).transpose(2, 0, 1) for image, _ in loaded])
        assert np.array_equal(pixels, images.reshape(-1, 3, 8, 8))


def test_an_exported_set_says_what_it_is(exported):
    assert read_json(exported[0] / "metadata.json") == {"classes": NAMES, "ipc": 2}


def test_an_export_replaces_an_older_one(exported):
    folder, sets = exported
    write_class_folders(folder, {"seed~9": sets["seed~0"]}, {"classes": NAMES})
    assert sorted(p.name for p in folder.iterdir()) == ["metadata.json", "seed~9"]


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "../up", "a/b", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_not_written(tmp_path, name):
    images = np.zeros((1, 1, 3, 4, 4), np.uint8)
    for sets, classes in (({name: images}, ["cat"]), ({"seed~0": images}, [name])):
        with pytest.raises(DataError, match="no name of a folder"):
            write_class_folders(tmp_path / "out", sets, {"classes": classes})
    assert list(tmp_path.iterdir()) == []


def test_the_script_writes_the_first_images_of_each_cell_of_a_larger_set(tmp_path, run_script):
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 3, 8, 8), np.uint8)
    write_tensors(tmp_path / "images", {"seed~0": images}, {"classes": NAMES, "prior": "p"})
    files = [[f"{name}/{number}.jpg" for number in range(4)] for name in NAMES]
    write_json(tmp_path / "of.json", {"made": "m", "chosen": {"seed~0": files}})
    names = {"dataset": "toy", "method": "random", "variant": "table"}
    figures = {"top1_last_mean": 50.0, "top1_last_std": float("nan"), "n_seeds": 1, "n_students": 2}
    told = {"student": "net", "protocol": "p", **figures, "status": "measured"}
    write_rows(tmp_path / "accuracy.csv", [{**names, "ipc": 2, **told}])
    cells = [
        {
            "row": {**names, "ipc": ipc},
            "label": "Random",
            "images": tmp_path / "images",
            "sources": [tmp_path / f"{source}.json"],
            "ipc": ipc,
            "folder": tmp_path / f"ipc~{ipc}",
            "record": tmp_path / f"record-{ipc}.json",
            "stamp": "s",
        }
        for ipc, source in ((2, "of"), (4, "of"), (3, "nothing"))
    ]
    run_script(
        "distilled",
        {"accuracy": tmp_path / "accuracy.csv"},
        {"record": tmp_path / "batch.json"},
        {"cells": cells, "code": "c", "image_size": 8, "licence": "mine", "url": ""},
        dataset="toy",
    )
    for ipc in (2, 4):
        folder = tmp_path / f"ipc~{ipc}"
        about = read_json(folder / "metadata.json")
        named = {"classes": NAMES, "prior": "p", "dataset": "toy", "ipc": ipc, "image_size": 8}
        assert named.items() <= about.items() and about["licence"] == "mine"
        of_set = {name: of_class[:ipc] for name, of_class in zip(NAMES, files, strict=True)}
        assert about["chosen"] == {"seed~0": of_set}
        score = {"student": "net", "protocol": "p", "mean": 50.0, "std": None}
        assert about["scores"] == ([{**score, "students": 2, "sets": 1}] if ipc == 2 else [])
        assert (folder / "README.md").read_text("utf-8").startswith("---\nlicense: other\n")
        paths = sorted((folder / "seed~0").rglob("*.png"))
        assert np.array_equal(
            [read_image(path, 8) for path in paths], np.concatenate(images[:, :ipc])
        )
    batch = read_json(tmp_path / "batch.json")
    assert set(batch["made"]) == {str(cell["record"]) for cell in cells[:2]}
    assert set(batch["left"]) == {str(cells[2]["record"])}
    assert not (tmp_path / "ipc~3").exists()
