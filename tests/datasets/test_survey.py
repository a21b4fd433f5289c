"""Folders as people have them: layouts, names, links, and what is said of all that is odd."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lighthouse.datasets.decoding import ODDITIES
from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.layout import find_layout
from lighthouse.datasets.sources import SOURCES
from lighthouse.datasets.survey import look
from lighthouse.runtime.errors import DataError
from odd_images import ODD, picture


def photograph(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed, 48, 36)).save(path)
    return path


def filled(root, count=10, classes=("cat", "dog"), first=0):
    for label, name in enumerate(classes):
        for k in range(count):
            photograph(root / name / f"{k}.png", first + 100 * label + k)
    return root


@pytest.fixture
def pets(tmp_path):
    return filled(tmp_path / "pets")


def built(root, tmp_path, **options):
    out = tmp_path / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    survey = SOURCES["folder"].build({"root": str(root), "image_size": 16, **options}, out, 2)
    return ImageIndex.read(out / "index.tsv"), survey


def counts(index):
    return {part: len(index.labels(part)) for part in ("train", "val", "test")}


# Layouts.


def test_class_folders_alone_are_split(pets, tmp_path):
    assert counts(built(pets, tmp_path)[0]) == {"train": 16, "val": 0, "test": 4}
    index, survey = built(pets, tmp_path, test_share=0.3, val_share=0.25)
    assert counts(index) == {"train": 10, "val": 4, "test": 6}
    assert survey.counts == {name: {"train": 5, "val": 2, "test": 3} for name in ("cat", "dog")}
    assert survey.layout == "classes"


@pytest.mark.parametrize("name", ["val", "Valid", "VALIDATION", "test", "Testing"])
def test_the_folder_beside_train_is_the_part_test(tmp_path, name):
    root = tmp_path / "pets"
    filled(root / "Train")
    filled(root / name, 2, first=50)
    index, survey = built(root, tmp_path, val_share=0.2)
    assert counts(index) == {"train": 16, "val": 4, "test": 4}
    assert survey.folders == {"train": root / "Train", "test": root / name}


def test_three_parts_are_taken_as_they_are(tmp_path):
    root = tmp_path / "pets"
    for k, name in enumerate(("train", "valid", "test")):
        filled(root / name, 5 - k, first=10 * k)
    options = {"root": str(root)}
    assert SOURCES["folder"].holds_out(options)
    assert SOURCES["folder"].missing(options) == []
    assert counts(built(root, tmp_path)[0]) == {"train": 10, "val": 8, "test": 6}
    assert look(root).counts["cat"] == {"train": 5, "val": 4, "test": 3}


@pytest.mark.parametrize("inner", ["archive", "archive/pets", "train"])
def test_a_folder_alone_in_another_is_entered_and_that_is_said(tmp_path, inner):
    filled(tmp_path / "root" / inner)
    (tmp_path / "root" / "__MACOSX" / "cat").mkdir(parents=True)
    found = look(tmp_path / "root")
    assert found.classes == ("cat", "dog")
    assert f"The class folders were found in {inner}." in found.lines


def test_the_parts_of_an_archive_are_found_in_it(tmp_path):
    filled(tmp_path / "root" / "pets" / "train")
    filled(tmp_path / "root" / "pets" / "val", 2, first=50)
    layout = find_layout(tmp_path / "root")
    assert (layout.kind, layout.base) == ("parts", tmp_path / "root" / "pets")


def test_images_without_classes_are_no_part_test(pets, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    pets.rename(root / "train")
    photograph(root / "test" / "1.png", 900)
    found = look(root)
    assert found.layout == "classes"
    assert found.faults == []
    assert "The folder test was passed over: it holds 1 images and no class folders." in found.lines


def test_a_class_may_be_called_as_a_part_is(tmp_path):
    filled(tmp_path / "root", classes=("bus", "car", "train"))
    assert look(tmp_path / "root").classes == ("bus", "car", "train")


def test_folders_beside_the_parts_are_told(tmp_path):
    filled(tmp_path / "pets" / "train")
    filled(tmp_path / "pets" / "val", 2, first=50)
    (tmp_path / "pets" / "papers").mkdir()
    assert "Folders beside the parts were passed over: papers." in look(tmp_path / "pets").lines


# One photograph on two sides.


def test_a_burst_is_in_one_part(pets, tmp_path):
    for k in range(10):
        with Image.open(pets / "cat" / f"{k}.png") as image:
            image.convert("RGB").save(pets / "cat" / f"again{k}.jpg", quality=60)
    index, survey = built(pets, tmp_path, test_share=0.3, val_share=0.3)
    side = {
        path.stem: part
        for part in ("train", "val", "test")
        for path in index.paths(part)
        if path.parent.name == "cat"
    }
    assert all(side[str(k)] == side[f"again{k}"] for k in range(10))
    assert len(set(side.values())) == 3
    (line,) = [line for line in survey.lines if line.startswith("The same or nearly the same")]
    assert "20 images in 10 groups (cat/0.png and cat/again0.jpg)" in line


def test_the_split_follows_from_names_alone(pets, tmp_path):
    index, _ = built(pets, tmp_path, val_share=0.2)
    here = {p.relative_to(pets): part for part in counts(index) for p in index.paths(part)}
    deeper = tmp_path / "a" / "b"
    shutil.copytree(pets, deeper / "moved")  # with nothing beside it, and entered from above
    index, _ = built(tmp_path / "a", tmp_path, val_share=0.2)
    base = deeper / "moved"
    assert {p.relative_to(base): part for part in counts(index) for p in index.paths(part)} == here


def test_what_the_part_test_has_leaves_the_part_train(tmp_path):
    root = tmp_path / "pets"
    filled(root / "train")
    filled(root / "val", 3, first=50)
    shutil.copy(root / "val" / "cat" / "0.png", root / "train" / "cat" / "copy.png")
    with Image.open(root / "val" / "dog" / "1.png") as image:
        image.convert("RGB").save(root / "train" / "dog" / "near.jpg", quality=60)
    index, survey = built(root, tmp_path)
    assert counts(index) == {"train": 20, "val": 0, "test": 6}
    rows = (tmp_path / "out" / "rejected.tsv").read_text().splitlines()[1:]
    assert rows == [
        "train/cat/copy.png\tthe same bytes as val/cat/0.png of the part test",
        "train/dog/near.jpg\tnearly the same picture as val/dog/1.png of the part test",
    ]
    assert look(root).lines == survey.lines
    assert survey.lines == [
        "Left out of their part, since one that judges has them too: 1 of the same bytes, 1 nearly "
        "the same (train/cat/copy.png, train/dog/near.jpg)."
    ]


def test_an_image_in_two_classes_is_told(pets):
    shutil.copy(pets / "cat" / "0.png", pets / "dog" / "cat.png")
    assert any(
        "In two classes at once, and left there: 1 of these groups (cat/0.png and dog/cat.png)"
        in line
        for line in look(pets).lines
    )


# Files and folders.


@pytest.mark.parametrize("kind", ODD)
def test_each_odd_kind_is_read_and_counted(pets, tmp_path, kind):
    folder = tmp_path / "made"
    folder.mkdir()
    path = ODD[kind](folder)
    path.rename(pets / "cat" / f"odd{path.suffix}")
    index, survey = built(pets, tmp_path, background="#808080")
    assert sum(counts(index).values()) == 21
    assert index.images("train", 16).shape[1:] == (3, 16, 16)
    said = [what.format(background="#808080") for what in ODDITIES.values()]
    lines = [line for line in survey.lines if line.startswith(tuple(said))]
    plain = kind in ("plain", "opaque RGBA", "palette", "not turned", "turned TIFF")
    assert len(lines) == (0 if plain else 1)
    assert all(line.endswith(f": 1 image (cat/odd{path.suffix}).") for line in lines)


def test_transparency_and_turns_are_read_as_the_index_says(pets, tmp_path):
    Image.fromarray(np.zeros((16, 16, 4), np.uint8)).save(pets / "cat" / "clear.png")
    ODD["turned 3"](pets / "cat").rename(pets / "cat" / "turned.png")
    index, _ = built(pets, tmp_path, background="#0000ff")
    assert {Path(p).name: how for p, how in index.readings.items()} == {
        "clear.png": "#0000ff",
        "turned.png": "upright",
    }


def test_what_systems_leave_is_passed_over_and_counted(pets, tmp_path):
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._0.png", "__MACOSX/0.png"):
        path = pets / "cat" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    index, survey = built(pets, tmp_path)
    assert sum(counts(index).values()) == 20
    (line,) = survey.lines
    assert line.startswith(
        "Passed over, since systems and programs leave such: 5 names (cat/.DS_Store"
    )


def test_a_link_to_the_folder_itself_is_no_class(pets, tmp_path):
    (pets / "all").symlink_to(pets)
    (pets / "up").symlink_to("../..")
    index, survey = built(pets, tmp_path)
    assert survey.classes == ("cat", "dog")
    assert counts(index) == {"train": 16, "val": 0, "test": 4}
    assert any("read already: 2 names (all, up)" in line for line in survey.lines), survey.lines


def test_links_that_lead_round_end(pets, tmp_path):
    (pets / "cat" / "up").symlink_to("..")
    for a, b in (("one", "two"), ("two", "one")):
        photograph(tmp_path / a / f"{a}.png", len(a) + ord(a[0]))
        (tmp_path / a / "over").symlink_to(tmp_path / b)
    (pets / "dog" / "out").symlink_to(tmp_path / "one")
    (pets / "dog" / "twice").symlink_to(tmp_path / "one")
    index, survey = built(pets, tmp_path)
    names = [path.name for part in counts(index) for path in index.paths(part)]
    assert len(names) == 22
    assert {"one.png", "two.png"} <= set(names)
    (line,) = survey.lines
    assert line == (
        "Passed over, since they lead to folders that are read already: 3 names "
        "(cat/up, dog/out/over/over, dog/twice)."
    )


def test_a_class_whose_name_begins_with_a_dot_is_told(pets):
    photograph(pets / ".emu" / "0.png", 900)
    assert look(pets).lines == [
        "Passed over, since its name begins with a dot: pets/.emu with 1 image; give it another "
        "name to have it as a class."
    ]


def test_a_name_that_is_no_utf_8_is_told_and_stops_nothing(pets, tmp_path):
    (pets / "cat" / "0.png").rename(pets / "cat" / os.fsdecode(b"x\xe9.png"))
    index, survey = built(pets, tmp_path, bad_files="skip")
    assert sum(counts(index).values()) == 19
    assert any(r"cat/x\udce9.png" in line for line in survey.lines)
    json.dumps(survey.record()).encode()


def test_bad_files_are_told_by_kind(pets):
    for name in ("a.heic", "b.heic", "c.mp4"):
        (pets / "cat" / name).write_bytes(b"x")
    lines = look(pets).lines
    assert lines == [
        "Cannot be used, 2 files: a HEIC photograph, which is not read here; save it as JPEG "
        "(cat/a.heic, cat/b.heic).",
        "Cannot be used, 1 file: a video; export some of its frames as JPEG (cat/c.mp4).",
    ]


def test_images_that_are_scaled_up_are_counted(pets, tmp_path):
    _, survey = built(pets, tmp_path, image_size=40)
    (line,) = survey.lines
    assert line.startswith("Scaled up, since the shorter side is below image_size (40 px): 20 im")


# What is said.


def test_a_survey_says_what_there_is(pets):
    found = look(pets, 2)
    assert found.shorter == (36, 36, 36)
    assert (found.lines, found.faults) == ([], [])
    assert found.counts == {"cat": {"all": 10}, "dog": {"all": 10}}
    assert found.paragraph() == (
        "2 classes: 20 images to be split (10 a class). Shorter side: 36 px."
    )


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (shutil.rmtree, "no such folder"),
        (lambda root: shutil.rmtree(root / "dog"), "one class alone"),
        (lambda root: [p.unlink() for p in (root / "dog").iterdir()], "dog: holds no images"),
        (lambda root: [p.write_bytes(b"x") for p in (root / "dog").iterdir()],
         "dog: holds no image that can be used"),
        (lambda root: (root / "c\nat").mkdir(), "classes of names that no table holds"),
        (lambda root: [photograph(root / f"dog/{k}.png", 7) for k in range(10)],
         "class dog: its 10 images are the same photograph or nearly"),
    ],
)  # fmt: skip
def test_what_keeps_a_folder_from_being_used_is_a_fault(pets, spoil, fault):
    spoil(pets)
    (line,) = look(pets).faults
    assert fault in line


def test_the_job_writes_the_survey_and_says_it(pets, tmp_path, run_script, capsys):
    (pets / "cat" / "Thumbs.db").write_bytes(b"x")
    out = tmp_path / "made"
    run_script(
        "dataset",
        {},
        {"index": out / "index.tsv", "survey": out / "survey.json", "images": out / "images"},
        {
            "source": "folder",
            "options": {"root": str(pets), "image_size": 16},
            "state": "",
            "code": "",
        },
    )
    record = json.loads((out / "survey.json").read_text())
    assert record["counts"]["cat"] == {"train": 8, "test": 2}
    assert str(tmp_path) not in (out / "survey.json").read_text()
    assert "Thumbs.db" in record["lines"][0]
    assert "Thumbs.db" in capsys.readouterr().err


def test_a_root_that_is_nothing_has_no_part(tmp_path):
    assert not SOURCES["folder"].holds_out({"root": str(tmp_path / "none")})
    with pytest.raises(DataError, match="no such folder"):
        find_layout(tmp_path / "none")
