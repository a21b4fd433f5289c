"""Finished sets from outside: what is wrong with them is said, and the rest is read as it is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lighthouse.datasets import external
from lighthouse.datasets.export import write_class_folders
from lighthouse.datasets.external import (
    class_folders,
    fingerprint,
    folders_for,
    numbered,
    problems,
    read_external,
    seed_folders,
)
from lighthouse.datasets.index import ImageIndex, read_image
from lighthouse.diffusion.autoencoder import encode, load_autoencoder, new_autoencoder
from lighthouse.diffusion.loading import save_model
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_about, read_arrays, read_json
from pictures import noise

#: Not in alphabetical order: labels follow the dataset's, not the folders'.
CLASSES = ["cat", "ant", "bee"]
IPC, SIDE = 2, 16
AUTOENCODER = {
    "block_out_channels": [4, 8],
    "latent_channels": 2,
    "layers_per_block": 1,
    "norm_num_groups": 2,
}


def pictures(seed=0):
    """A set, (3, IPC, 3, SIDE, SIDE) uint8."""
    shape = (len(CLASSES), IPC, 3, SIDE, SIDE)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def exported(tmp_path):
    """Three sets by seed as this pipeline writes them."""
    sets = {f"seed~{s}": pictures(s) for s in range(3)}
    write_class_folders(tmp_path / "sets", sets, {"classes": CLASSES})
    return tmp_path / "sets"


@pytest.fixture
def single(exported):
    """One set, as others publish theirs."""
    return exported / "seed~1"


# Reading.


@pytest.mark.parametrize("seed", range(3))
def test_an_exported_set_is_read_back_as_it_was(exported, seed):
    assert problems(exported, IPC, CLASSES, [0, 1, 2]) == []
    folder = folders_for(exported, [0, 1, 2])[seed]
    assert np.array_equal(read_external(folder, IPC, CLASSES, SIDE, threads=2), pictures(seed))


def test_a_set_without_seeds_is_every_seeds(single):
    assert problems(single, IPC, CLASSES, [0, 1, 2]) == []
    assert folders_for(single, [0, 4]) == {0: single, 4: single}
    assert np.array_equal(read_external(single, IPC, CLASSES, SIDE), pictures(1))


def test_images_are_scaled_and_cut_as_the_datasets_own(tmp_path):
    for name in CLASSES:
        noise(tmp_path / "set" / name / "1.png", side=20, seed=len(name))
    found = read_external(tmp_path / "set", 1, CLASSES, 8)
    expected = read_image(tmp_path / "set" / "ant" / "1.png", 8)
    assert found.shape == (3, 1, 3, 8, 8)
    assert np.array_equal(found[1, 0], expected)


def test_grey_images_and_other_suffixes_are_read_as_rgb_in_the_order_of_names(tmp_path):
    for name in CLASSES:
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8), 200).save(tmp_path / name / "b.PNG")
        Image.new("RGB", (8, 8), (10, 20, 30)).save(tmp_path / name / "a.bmp")
        (tmp_path / name / "notes.txt").write_text("no image")
        (tmp_path / name / ".hidden.png").write_text("no data")
    assert problems(tmp_path, 2, CLASSES, [0]) == []
    found = read_external(tmp_path, 2, CLASSES, 8)
    assert found[0, :, :, 0, 0].tolist() == [[10, 20, 30], [200, 200, 200]]


def test_a_broken_image_is_named(single):
    path = single / "bee" / "00001.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=re.escape(str(path))):
        read_external(single, IPC, CLASSES, SIDE)


# What is wrong.


def the_problem(root, seeds=(0, 1, 2), classes=CLASSES):
    (line,) = problems(root, IPC, classes, list(seeds))
    return line


def test_an_absent_root_is_named_with_what_belongs_there(tmp_path):
    line = the_problem(tmp_path / "nowhere")
    assert line.startswith(f"{tmp_path / 'nowhere'}: no such folder")
    assert "<class>/" in line and "seed~<s>/<class>/" in line


def test_a_class_without_a_folder_is_named(single):
    (single / "bee").rename(single.parent / "bee")
    assert (
        the_problem(single)
        == f"{single}: 1 class without a folder: bee; make one for each, with 2 images in it"
    )


def test_a_folder_that_is_no_class_is_named_with_the_allowed_ones(single):
    noise(single / "dog" / "1.png")
    line = the_problem(single)
    assert "no class: dog; allowed: cat, ant, bee" in line


@pytest.mark.parametrize("spell", ["{}", "{:05d}"])
def test_folders_that_are_numbers_are_the_classes_in_the_datasets_order(single, spell):
    for label, name in enumerate(CLASSES):
        (single / name).rename(single / spell.format(label))
    assert problems(single, IPC, CLASSES, [0]) == []
    assert np.array_equal(read_external(single, IPC, CLASSES, SIDE), pictures(1))
    first = spell.format(0)
    assert numbered(single, CLASSES).startswith(f"{single}: folders are numbers")
    assert f"{first} is cat, " in numbered(single, CLASSES)
    assert class_folders(single, CLASSES)["cat"] == first


def test_folders_that_have_the_names_of_classes_are_no_numbers(single):
    assert numbered(single, CLASSES) is None
    for label, name in enumerate(CLASSES):
        (single / name).rename(single / str(2 - label))
    # A dataset whose classes are called so: names count, not the order.
    assert class_folders(single, ["2", "1", "0"]) == {"2": "2", "1": "1", "0": "0"}
    assert numbered(single, ["2", "1", "0"]) is None


@pytest.mark.parametrize("numbers", [(1, 2, 3), (0, 1), (0, 1, 2, 3)])
def test_numbers_that_are_not_those_of_all_classes_are_told(single, numbers):
    for name in CLASSES:
        shutil.rmtree(single / name)
    for number in numbers:
        noise(single / str(number) / "1.png")
    told = "\n".join(problems(single, 1, CLASSES, [0]))
    assert "no class: " in told and "or the numbers 0 to 2 for all classes" in told


@pytest.mark.parametrize("change", ["fewer", "more"])
def test_a_class_with_another_number_of_images_is_named_with_it(exported, change):
    folder = exported / "seed~2" / "ant"
    if change == "fewer":
        (folder / "00000.png").unlink()
    else:
        noise(folder / "x.jpg")
    count = 1 if change == "fewer" else 3
    line = the_problem(exported)
    assert line.startswith(f"{exported / 'seed~2'}: 1 class ")
    assert f"not the ipc, 2: ant ({count})" in line


def test_images_in_no_class_folder_are_named(single):
    noise(single / "stray.png")
    assert "1 image in no class folder: stray.png" in the_problem(single)


def test_names_with_what_cannot_be_seen_are_told_in_one_line(single):
    for name in (b"\xff.png", b"a\nb.png"):
        (single / os.fsdecode(name)).write_bytes(b"")
    said = the_problem(single, classes=CLASSES)
    assert said.startswith(f"{single}: 2 images in no class folder: a\\nb.png, \\udcff.png; ")


def test_an_absent_seed_is_named_with_those_that_are_there(exported):
    line = the_problem(exported, seeds=[0, 1, 2, 3, 7])
    assert "no folder seed~3, seed~7; it holds seed~0, seed~1, seed~2" in line


def test_sets_of_other_seeds_are_passed_over(exported):
    (exported / "seed~2" / "ant" / "00000.png").unlink()
    assert problems(exported, IPC, CLASSES, [0, 1]) == []


def test_class_folders_beside_those_of_seeds_are_no_set(exported):
    noise(exported / "ant" / "1.png")
    assert "folders beside those of the seeds: ant" in the_problem(exported)


def test_a_seed_has_one_name(exported):
    (exported / "seed~1").rename(exported / "seed~01")
    assert sorted(seed_folders(exported)) == [0, 2]
    found = problems(exported, IPC, CLASSES, [0, 1, 2])
    assert "beside those of the seeds: seed~01" in found[0]
    assert "no folder seed~1;" in found[1]


def test_every_mistake_is_listed_at_once_and_long_lists_break_off(exported):
    classes = [f"class {number}" for number in range(9)]
    found = problems(exported, IPC, classes, [0])
    assert len(found) == 2
    assert "class 0, class 1, class 2, class 3, class 4 …; make one for each" in found[0]
    assert "allowed: class 0, class 1, class 2, class 3, class 4 …; or" in found[1]


# When it has to be read again.


def test_a_fingerprint_follows_names_sizes_and_times_of_images(exported):
    path = exported / "seed~0" / "ant" / "00000.png"
    first, state = fingerprint(exported), path.stat()
    assert fingerprint(exported) == first

    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    later = fingerprint(exported)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert fingerprint(exported) == first

    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    larger = fingerprint(exported)
    path.rename(path.with_name("z.png"))
    assert len({first, later, larger, fingerprint(exported)}) == 4


def test_a_name_that_is_no_text_and_a_place_that_cannot_be_looked_at_stop_no_fingerprint(single):
    first = fingerprint(single)
    (single / "cat" / os.fsdecode(b"\xff.png")).write_bytes(b"")
    assert fingerprint(single) != first
    assert fingerprint(single / ("a" * 300)) == fingerprint(single / "nothing")


def test_what_is_no_image_changes_no_fingerprint(exported):
    first = fingerprint(exported)
    (exported / "metadata.json").write_text("{}")
    (exported / "seed~0" / "ant" / "notes.txt").write_text("")
    assert fingerprint(exported) == first


def test_a_fingerprint_of_nothing_is_none_of_something(exported, tmp_path):
    assert fingerprint(tmp_path / "nowhere") != fingerprint(exported)


def test_configs_are_checked_without_torch():
    library = Path(external.__file__).parents[2]
    code = "import sys, lighthouse.datasets.external; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(library)}, check=True)


# The rule's script.


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A dataset's index and an autoencoder, of which a new one has its random weights."""
    folder = tmp_path_factory.mktemp("made")
    rows = [("train", label, name, f"{name}.png") for label, name in enumerate(CLASSES)]
    ImageIndex.write(folder / "index.tsv", rows)
    torch.manual_seed(0)
    save_model(new_autoencoder(AUTOENCODER, SIDE), folder / "autoencoder", {})
    return folder


@pytest.fixture
def script(made, tmp_path, run_script):
    """Run the script on one set. Returns the folder of the cell and what the job recorded."""

    def run(root, seeds=(0, 1, 2), **way):
        out = tmp_path / "out"
        kinds = ("latents", "images", "labels") if "labels" in way else ("latents", "images")
        files = {name: out / f"{name}.safetensors" for name in kinds}
        cell = {"method": "theirs", "ipc": IPC, "stamp": "s", "record": out / "record.json"}
        run_script(
            "external",
            {"index": made / "index.tsv", "autoencoder": made / "autoencoder"},
            {"record": tmp_path / "batch.json"},
            {
                "cells": [{**cell, **files, "root": root, "way": way}],
                "seeds": seeds,
                "image_size": SIDE,
                "code": "c",
            },
            dataset="toy",
        )
        return out, read_json(tmp_path / "batch.json")

    return run


def test_the_script_writes_each_seeds_set_and_its_latents(made, exported, script):
    out, batch = script(exported)
    images, latents = (read_arrays(out / f"{k}.safetensors") for k in ("images", "latents"))
    autoencoder = load_autoencoder(made / "autoencoder")
    for seed in range(3):
        expected = pictures(seed)
        assert np.array_equal(images[f"seed~{seed}"], expected)
        encoded = encode(autoencoder, torch.from_numpy(expected).flatten(0, 1)).numpy()
        found = latents[f"seed~{seed}"]
        assert found.shape[:2] == (3, IPC)
        np.testing.assert_allclose(found.reshape(encoded.shape), encoded, rtol=1e-4, atol=1e-5)
    about = read_about(out / "images.safetensors")
    assert about["classes"] == CLASSES and about["sets"] == 3
    record = read_json(out / "record.json")
    assert record["images"] == 3 * len(CLASSES) * IPC
    assert record["stamp"] == about["stamp"] == "s"
    assert batch["made"] == {str(out / "record.json"): record["made"]}


def test_the_script_writes_a_set_without_seeds_under_each_seed(single, script):
    out, _ = script(single, seeds=(0, 5))
    for kind in ("images", "latents"):
        found = read_arrays(out / f"{kind}.safetensors")
        assert sorted(found) == ["seed~0", "seed~5"]
        assert np.array_equal(found["seed~0"], found["seed~5"])
        assert read_about(out / f"{kind}.safetensors")["sets"] == 1


def test_the_script_writes_each_seeds_own_labels_by_class(exported, script):
    own = np.random.default_rng(0).normal(size=(3, 6, 3)).astype(np.float32)
    for seed in range(3):
        np.save(exported / f"seed~{seed}" / "labels.npy", own[seed])
    out, _ = script(exported, labels="logits")
    found = read_arrays(out / "labels.safetensors")
    for seed in range(3):
        # In the file the order is that of names, ant, bee, cat; here cat, ant, bee.
        assert np.array_equal(found[f"seed~{seed}"], own[seed].reshape(3, 2, 3)[[2, 0, 1]])


def test_the_script_says_of_labels_that_are_none_which_row_it_is(single, script):
    np.save(single / "labels.npy", np.full((6, 3), 0.5))
    out, batch = script(single, seeds=(0,), labels="probabilities")
    (told,) = batch["failed"].values()
    assert "labels.npy: row 4 (the first is 0) is no probabilities" in told
    assert not out.exists()


def test_the_script_says_what_has_changed_since_the_check(exported, script):
    (exported / "seed~0" / "ant" / "00000.png").unlink()
    out, batch = script(exported)
    assert batch["made"] == batch["left"] == {}
    (told,) = batch["failed"].items()
    assert told[0] == str(out / "record.json")
    assert "not the ipc, 2: ant (1)" in told[1]
    assert not out.exists()
