"""Sources: labels are the registry's, what the disk lacks is told, bad files are named."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.labels import LABELS, digest, pretrained_labels
from lighthouse.datasets.sources import SOURCES
from lighthouse.datasets.splitting import held_out
from lighthouse.runtime.errors import DataError
from pictures import noise
from repository import LIBRARY

# Labels.


def test_the_label_sets_are_those_of_their_checksums():
    for labels in LABELS.values():
        assert len(labels.sha256) == 64
        if labels.classes:
            assert digest([entry.wnid for entry in labels.classes]) == labels.sha256
            assert len(labels.classes) == labels.n_classes
    assert LABELS["imagenet-1k"].classes == ()


def test_the_indices_rise_with_the_wnids():
    """ImageNet's label is the rank of the sorted wnid, whatever the order of a subset."""
    known = sorted(entry for labels in LABELS.values() for entry in labels.classes)
    assert len(known) == 20
    assert [entry.index for entry in known] == sorted(entry.index for entry in known)


def test_imagewoof_keeps_its_own_order():
    names = LABELS["imagewoof"].order(["n02086240"])
    assert names[0] == "n02096294"
    assert names != sorted(names)
    assert pretrained_labels(names) == [193, 182, 258, 162, 155, 167, 159, 273, 207, 229]


def test_labels_of_a_mixture():
    assert pretrained_labels(["n03888257", "n02086240"]) == [701, 155]
    assert pretrained_labels(["n03888257"]) == [701]


def test_labels_of_unknown_classes_are_refused_by_name():
    with pytest.raises(ValueError, match="2 of 3 classes: cat, n01443537; known are"):
        pretrained_labels(["cat", "n01440764", "n01443537"])


def test_all_of_imagenet_is_labelled_by_rank(monkeypatch):
    names = [f"n{number:08d}" for number in range(1000)]
    whole = replace(LABELS["imagenet-1k"], sha256=digest(names))
    monkeypatch.setitem(LABELS, "imagenet-1k", whole)
    assert pretrained_labels(names[::-1]) == list(range(1000))[::-1]
    assert whole.order(reversed(names)) == names
    with pytest.raises(ValueError, match="999 class folders, which are not the 1000"):
        whole.order(names[1:])


# Sources.


@pytest.fixture
def pets(tmp_path):
    """Two classes of eight training images and two test images, and files of no matter."""
    root = tmp_path / "pets"
    for label, name in enumerate(("cat", "dog")):
        for k in range(8):
            where = root / "train" / name / ("." if k < 5 else "deeper")
            noise(where / f"{name}{k}.{'png' if k % 2 else 'JPG'}", seed=10 * label + k)
        for k in range(2):
            noise(root / "val" / name / f"{k}.jpeg", seed=20 + 10 * label + k)
        (root / "train" / name / ".DS_Store").write_bytes(b"x")
    (root / "train" / ".cache").mkdir()
    return root


def built(root, tmp_path, source="folder", **options):
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    SOURCES[source].build({"root": str(root), **options}, out, 2)
    return ImageIndex.read(out / "index.tsv")


def test_a_folder_becomes_an_index(pets, tmp_path):
    index = built(pets, tmp_path)
    assert index.classes == ["cat", "dog"]
    assert index.labels("train").tolist() == [0] * 8 + [1] * 8
    assert index.labels("test").tolist() == [0, 0, 1, 1]
    assert len(index.labels("val")) == 0
    assert {path.parent.name for path in index.paths("train")} == {"cat", "dog", "deeper"}
    assert all(path.is_absolute() and path.is_file() for path in index.paths("train"))
    assert (tmp_path / "out" / "rejected.tsv").read_text() == "path\treason\n"
    options = {"root": str(pets)}
    assert SOURCES["folder"].n_classes(options) == 2
    assert SOURCES["folder"].missing(options) == []
    assert SOURCES["folder"].missing(options, 8) == []


@pytest.mark.parametrize("name", [b"a\nb", b"a\tb", b"x\xe9"])
def test_the_name_of_a_class_that_cannot_be_seen_is_told(pets, tmp_path, name):
    (pets / "train" / os.fsdecode(name)).mkdir()
    (line,) = SOURCES["folder"].missing({"root": str(pets)})
    shown = ascii(os.fsdecode(name))
    assert f"classes of names that no table holds: {shown}; allowed: UTF-8" in line
    assert line.isprintable()


def test_the_name_of_a_file_that_is_no_utf_8_is_told(pets, tmp_path):
    picture = pets / "train" / "cat" / "cat1.png"
    picture.rename(picture.with_name(os.fsdecode(b"x\xe9.png")))
    with pytest.raises(DataError, match=r"x.udce9\.png: a name that no table holds"):
        built(pets, tmp_path)


@pytest.mark.parametrize("name", ["007", "1e5", "nan", "-", "=1", "..cat", 'a "b"', "$x$", "数"])
def test_a_class_may_have_any_name_that_can_be_seen(pets, tmp_path, name):
    for part in ("train", "val"):
        (pets / part / "cat").rename(pets / part / name)
    assert set(built(pets, tmp_path).classes) == ({name, "dog"} if name[:1] != "." else {"dog"})


def test_other_images_in_a_folder_are_another_state_and_other_times_are_none(pets):
    source, path = SOURCES["folder"], min((pets / "train").glob("*/*.png"))
    states = [source.state({"root": str(pets)})]
    os.utime(path, (0, 0))
    (path.parent / "notes.txt").write_text("x")
    assert source.state({"root": str(pets)}) == states[0]
    noise(path, side=9, seed=9)
    states.append(source.state({"root": str(pets)}))
    path.rename(path.with_name(os.fsdecode(b"\xff.png")))
    states += [source.state({"root": str(pets)}), source.state({"root": str(pets / "nothing")})]
    assert len(set(states)) == 4


def test_the_held_out_part_follows_from_names_alone(pets, tmp_path, monkeypatch):
    share = {"val_share": 0.25}
    index = built(pets, tmp_path, **share)
    held = [path.relative_to(pets) for path in index.paths("val")]
    assert index.labels("val").tolist() == [0, 0, 1, 1]
    assert index.labels("train").tolist() == [0] * 6 + [1] * 6
    assert not set(index.paths("val")) & set(index.paths("train"))
    walk = os.walk
    monkeypatch.setattr(
        os, "walk", lambda *a, **k: [(p, f, n[::-1]) for p, f, n in list(walk(*a, **k))[::-1]]
    )
    moved = pets.rename(tmp_path / "moved")
    again = built(moved, tmp_path, **share)
    assert [path.relative_to(moved) for path in again.paths("val")] == held
    # The lowest digests of the names, worked out by hand.
    names = [p.relative_to(moved).as_posix() for p in (moved / "train" / "cat").rglob("cat*")]
    lowest = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:2]
    assert {path.as_posix() for path in held[:2]} == set(lowest)


@pytest.mark.parametrize(
    ("count", "share", "held"),
    [(10, 0, 0), (10, 0.1, 1), (1300, 0.1, 130), (1, 0.5, 0), (2, 0.9, 1)],
)
def test_never_all_images_of_a_class_are_held_out(count, share, held):
    assert held_out(count, share) == held


@pytest.fixture
def spoilt(pets):
    """Three files that are no images: cut short, of another kind, and text by that name."""
    cut = pets / "train" / "cat" / "cat0.JPG"
    cut.write_bytes(cut.read_bytes()[:-60])
    (pets / "train" / "dog" / "notes.txt").write_text("woof")
    (pets / "val" / "dog" / "fake.png").write_text("woof")
    return pets


REJECTED = ["train/cat/cat0.JPG", "train/dog/notes.txt", "val/dog/fake.png"]


def test_bad_files_stop_the_job_with_all_their_names(spoilt, tmp_path):
    with pytest.raises(DataError, match="3 of 22 files below") as error:
        built(spoilt, tmp_path)
    for name in REJECTED:
        assert f"\n  {name}: " in str(error.value)
    assert "truncated" in str(error.value)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rejected.tsv"]


def test_bad_files_are_left_out_and_listed(spoilt, tmp_path):
    index = built(spoilt, tmp_path, bad_files="skip")
    assert index.labels("train").tolist() == [0] * 7 + [1] * 8
    assert len(index.labels("test")) == 4
    lines = (tmp_path / "out" / "rejected.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[0] for line in lines] == REJECTED
    index.images("train", 8)


def test_a_class_whose_images_are_all_bad_stops(pets, tmp_path):
    for path in (pets / "val" / "dog").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="val/dog: holds no image that can be used"):
        built(pets, tmp_path, bad_files="skip")


def missing(root, source="folder", least=1, **options):
    return SOURCES[source].missing({"root": str(root), **options}, least)


def test_an_absent_root_is_told_with_what_belongs_there(tmp_path):
    (line,) = missing(tmp_path / "none")
    assert line.startswith(f"{tmp_path / 'none'}: no such folder")
    assert "train/<class>/" in line
    (line,) = missing(tmp_path / "none", "imagenet", classes="imagenette")
    assert "image-net.org" in line
    with pytest.raises(DataError, match="no such folder"):
        SOURCES["folder"].n_classes({"root": str(tmp_path / "none")})


@pytest.mark.parametrize("part", ["train", "val"])
def test_an_absent_part_of_imagenet_is_told(tmp_path, part):
    for there in {"train", "val"} - {part}:
        for entry in LABELS["imagenette"].classes:
            noise(tmp_path / there / entry.wnid / "a.png")
    (line,) = missing(tmp_path, "imagenet", classes="imagenette")
    assert line.startswith(f"{tmp_path / part}: no such folder")


def test_folders_that_do_not_match_are_all_named(pets):
    for name in ("ant", "bee"):
        noise(pets / "train" / name / "a.png")
    (pets / "train" / "empty").mkdir()
    noise(pets / "val" / "wasp" / "a.png")
    noise(pets / "train" / "lost.png")
    assert missing(pets) == [
        f"{pets}/train: 1 image in no class folder: lost.png; move them into one, or away",
        f"{pets}/val: 3 classes without a folder: ant, bee, empty; every class has one in each "
        "part: add it, with images, or remove the class",
        f"{pets}/val: classes that train/ does not have: wasp",
        f"{pets}/train/empty: holds no images; put some there, or remove the class",
    ]


def test_classes_that_are_too_small_for_the_study_are_named(pets):
    assert missing(pets, least=8) == []
    assert missing(pets, least=7, val_share=0.25) == [
        f"{pets}/train/{name}: 6 images for training, of 7 that the study needs"
        for name in ("cat", "dog")
    ]


def test_a_flat_validation_folder_is_told_how_to_be_sorted(tmp_path):
    for entry in LABELS["imagenette"].classes:
        noise(tmp_path / "train" / entry.wnid / "a.png")
    for k in range(3):
        noise(tmp_path / "val" / f"ILSVRC2012_val_0000000{k}.JPEG")
    (line,) = missing(tmp_path, "imagenet", classes="imagenette")
    assert "val: holds 3 files and no class folders" in line
    assert "torchvision.datasets.ImageNet" in line


def test_imagenet_is_labelled_in_the_registry_s_order_within_a_larger_root(tmp_path):
    root = tmp_path / "ilsvrc"
    order = [entry.wnid for entry in LABELS["imagewoof"].classes]
    for part in ("train", "val"):
        for k, name in enumerate([*order, "n01440764"]):
            noise(root / part / name / f"{part}{k}.JPEG", seed=k)
    assert missing(root, "imagenet", classes="imagewoof") == []
    index = built(root, tmp_path, "imagenet", classes="imagewoof")
    assert index.classes == order
    assert [path.parent.name for path in index.paths("test")] == order
    lines = missing(root, "imagenet", classes="imagenette")
    assert len(lines) == 2
    assert "train: 9 classes without a folder: n02102040" in lines[0]
    (line,) = missing(root, "imagenet", classes="imagenet-1k")
    assert "11 class folders, which are not the 1000" in line


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("folder", {}, ["root: is missing"]),
        ("imagenet", {}, ["classes: is missing", "root: is missing"]),
        ("fastai", {"edition": "imagenette2-160"}, []),
        ("cifar10", {}, []),
        ("digits", {"split_seed": 0}, ["parts: is missing"]),
    ],
)
def test_a_key_that_a_source_needs_is_asked_for(source, options, expected):
    assert SOURCES[source].check(options) == expected


def test_an_unknown_edition_or_label_set_is_refused_with_what_is_known():
    (line,) = SOURCES["fastai"].check({"edition": "imagenette3"})
    assert line.startswith("edition: 'imagenette3'; allowed: imagenette2, ")
    (line,) = SOURCES["imagenet"].check({"root": "x", "classes": "imagenet"})
    assert line == "classes: 'imagenet'; allowed: imagenette, imagewoof, imagenet-1k"


def test_the_sources_import_no_torch():
    code = "import sys, lighthouse.datasets.sources; assert 'torch' not in sys.modules"
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
