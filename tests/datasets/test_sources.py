"""Sources: labels are the registry's, what the disk lacks is told, bad files are named."""

import hashlib
import os
import pickle
import subprocess
import sys
import tarfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from lighthouse.datasets.cifar import SETS
from lighthouse.datasets.downloads import ARCHIVES, download
from lighthouse.datasets.fastai import EDITIONS
from lighthouse.datasets.folders import held_out
from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.labels import LABELS, digest, pretrained_labels
from lighthouse.datasets.sources import SOURCES
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
    for name in ("cat", "dog"):
        for k in range(8):
            place = "train" if k < 5 else "train/deeper"
            where = root / place / name if k < 5 else root / "train" / name / "deeper"
            noise(where / f"{name}{k}.{'png' if k % 2 else 'JPG'}", seed=k)
        for k in range(2):
            noise(root / "val" / name / f"{k}.jpeg", seed=k)
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
def test_an_absent_part_is_told(pets, part):
    (pets / part).rename(pets / "elsewhere")
    (line,) = missing(pets)
    assert line.startswith(f"{pets / part}: no such folder")


def test_folders_that_do_not_match_are_all_named(pets):
    for name in ("ant", "bee"):
        noise(pets / "train" / name / "a.png")
    (pets / "train" / "empty").mkdir()
    noise(pets / "val" / "wasp" / "a.png")
    noise(pets / "train" / "lost.png")
    assert missing(pets) == [
        f"{pets}/train: 1 images lie in no class folder: lost.png",
        f"{pets}/val: 3 class(es) without a folder: ant, bee, empty",
        f"{pets}/val: classes that train/ does not have: wasp",
        f"{pets}/train/empty: holds no images",
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
    assert "train: 9 class(es) without a folder: n02102040" in lines[0]
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


# Archives.


def test_the_archives_and_their_sums_are_torchvision_s():
    from torchvision import datasets

    theirs = sorted(datasets.Imagenette._ARCHIVES.values())
    ours = [(e.url, e.md5) for name, e in EDITIONS.items() if name.startswith("imagenette")]
    assert sorted(ours) == theirs
    for archive in SETS.values():
        own = getattr(datasets, archive.dataset)
        assert (archive.url, archive.md5) == (own.url, own.tgz_md5)


@pytest.fixture
def served(tmp_path):
    """A tiny archive in the layout of fastai's, on a server of this machine: its URL and MD5."""
    name, folder = "imagewoof2-160", tmp_path / "server"
    for entry in LABELS["imagewoof"].classes:
        for part in ("train", "val"):
            noise(folder / name / part / entry.wnid / "a.JPEG")
    path = folder / f"{name}.tgz"
    with tarfile.open(path, "w:gz") as file:
        file.add(folder / name, name)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/{name}.tgz"
        yield name, url, hashlib.md5(path.read_bytes()).hexdigest()
        server.shutdown()


def given(tmp_path, name):
    """Options of fastai's source, and the folder that they name."""
    downloads = tmp_path / "downloads"
    return {"edition": name, "downloads": str(downloads)}, downloads / "fastai" / name


def replaced(monkeypatch, key, **fields):
    """An entry of ``ARCHIVES`` with other fields, for the sources too."""
    monkeypatch.setitem(ARCHIVES, key, replace(ARCHIVES[key], **fields))
    return ARCHIVES[key]


def index_of(source, options, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    SOURCES[source].build(options, out, 1)
    return ImageIndex.read(out / "index.tsv")


def test_an_archive_is_downloaded_and_read(tmp_path, monkeypatch, served):
    name, url, md5 = served
    archive = replaced(monkeypatch, f"fastai/{name}", url=url, md5=md5)
    options, folder = given(tmp_path, name)
    assert SOURCES["fastai"].missing(options) == []  # not there: it will be downloaded
    assert download(archive, folder)
    assert SOURCES["fastai"].missing(options) == []
    assert [path.name for path in folder.parent.iterdir()] == [name]
    index = index_of("fastai", options, tmp_path)
    assert index.classes == [entry.wnid for entry in LABELS["imagewoof"].classes]
    assert len(index.paths("train")) == len(index.paths("test")) == 10


@pytest.mark.parametrize("fault", ["sum", "address"])
def test_an_archive_that_cannot_be_had_leaves_nothing_but_advice(
    tmp_path, monkeypatch, served, fault
):
    name, url, md5 = served
    if fault == "sum":
        md5 = "0" * 32
    else:
        url = url.replace(name, "nowhere")
    archive = replaced(monkeypatch, f"fastai/{name}", url=url, md5=md5)
    _, folder = given(tmp_path, name)
    with pytest.raises(DataError, match=f"{name} could not be downloaded") as error:
        download(archive, folder)
    for words in (url, md5, str(folder.parent / url.rpartition("/")[2])):
        assert words in str(error.value)
    assert list(folder.parent.iterdir()) == []


def test_an_archive_that_lies_beside_its_folder_is_taken(tmp_path, monkeypatch, served):
    name, _, md5 = served
    nowhere = f"http://127.0.0.1:9/{name}.tgz"
    archive = replaced(monkeypatch, f"fastai/{name}", url=nowhere, md5=md5)
    options, folder = given(tmp_path, name)
    folder.parent.mkdir(parents=True)
    file = folder.parent / f"{name}.tgz"
    file.write_bytes((tmp_path / "server" / f"{name}.tgz").read_bytes())
    assert SOURCES["fastai"].missing(options) == []
    assert download(archive, folder)
    assert len(list(folder.glob("*/*/a.JPEG"))) == 20
    assert file.is_file()


def test_an_archive_of_another_sum_is_told_before_any_job(tmp_path):
    options, folder = given(tmp_path, "imagewoof2-160")
    folder.parent.mkdir(parents=True)
    file = folder.parent / "imagewoof2-160.tgz"
    file.write_bytes(b"half of it")
    (line,) = SOURCES["fastai"].missing(options)
    assert line.startswith(f"{file}: its md5 is {hashlib.md5(b'half of it').hexdigest()}, not ")
    with pytest.raises(DataError, match="not 3d200a7be99704a0d7509be2a9fbfe15; get https"):
        download(EDITIONS["imagewoof2-160"], folder)
    assert [path.name for path in folder.parent.iterdir()] == [file.name]


def test_what_was_unpacked_by_hand_is_not_downloaded(tmp_path):
    options, folder = given(tmp_path, "imagewoof2-160")
    folder.mkdir(parents=True)
    assert not download(replace(EDITIONS["imagewoof2-160"], url="http://127.0.0.1:9/none"), folder)
    (line,) = SOURCES["fastai"].missing(options)
    assert "train: no such folder" in line and "it holds the images of https://" in line
    folder.rmdir()
    Path(f"{folder}.json").write_text("{}")
    (line,) = SOURCES["fastai"].missing(options)
    assert "fastai/imagewoof2-160: no such folder" in line and "imagewoof2-160.json" in line


def test_the_smallest_class_of_an_edition_is_known_without_it():
    smallest = SOURCES["fastai"].smallest_class
    assert smallest({"edition": "imagewoof2"}) == 580
    assert smallest({"edition": "imagewoof2", "val_share": 0.1}) == 522
    assert SOURCES["imagenet"].smallest_class({}) is None


# CIFAR.


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A tiny CIFAR-100 in its own layout where a user may put it: its options, images and labels.

    Three classes whose order of labels is that of their names; torchvision's sums and ours
    are those of these files.
    """
    from torchvision.datasets import CIFAR100

    folder, names = tmp_path / CIFAR100.base_folder, ["ant", "bee", "cat"]
    folder.mkdir()
    draw = np.random.default_rng(0)
    images, labels = {}, {"train": [2, 0, 1] * 4, "test": [1, 2, 0]}

    def written(name, content):
        """A file of the archive; returns its sum."""
        data = pickle.dumps(content, protocol=2)
        (folder / name).write_bytes(data)
        return hashlib.md5(data).hexdigest()

    sums = {"meta": written("meta", {"fine_label_names": names})}
    for part, own in labels.items():
        images[part] = draw.integers(0, 256, (len(own), 3, 32, 32), np.uint8)
        flat = images[part].reshape(len(own), -1)
        sums[part] = written(part, {"data": flat, "fine_labels": own})
    monkeypatch.setattr(CIFAR100, "train_list", [["train", sums["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", sums["test"]]])
    monkeypatch.setattr(CIFAR100, "meta", {**CIFAR100.meta, "md5": sums["meta"]})
    archive = tmp_path / "downloads" / "cifar" / "cifar-100-python.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, folder.name)
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    replaced(monkeypatch, "cifar/cifar100", md5=md5, url=f"http://127.0.0.1:9/{archive.name}")
    return {"downloads": str(tmp_path / "downloads")}, images, labels


def test_cifar_becomes_images_by_class_with_the_official_parts(tmp_path, cifar):
    options, images, labels = cifar
    source = SOURCES["cifar100"]
    assert source.missing(options) == []
    folder = tmp_path / "downloads" / source.archive(options)
    assert download(ARCHIVES["cifar/cifar100"], folder)
    assert source.missing(options) == []
    index = index_of("cifar100", {**options, "val_share": 0.25}, tmp_path)
    assert index.classes == ["ant", "bee", "cat"]
    assert [len(index.paths(part)) for part in ("train", "val", "test")] == [9, 3, 3]
    official = {"train": "train", "val": "train", "test": "test"}
    for part, whole in official.items():
        numbers = [int(path.stem) for path in index.paths(part)]
        assert (index.images(part, 32) == images[whole][numbers]).all()
        assert index.labels(part).tolist() == [labels[whole][n] for n in numbers]


def test_a_batch_of_cifar_that_is_not_torchvision_s_is_not_unpickled(tmp_path, cifar, monkeypatch):
    from torchvision.datasets import CIFAR100

    monkeypatch.setattr(CIFAR100, "train_list", [["train", "0" * 32]])
    monkeypatch.setattr(pickle, "load", lambda *a, **k: pytest.fail("it was unpickled"))
    folder = tmp_path / "downloads" / "cifar" / "cifar100"
    with pytest.raises(RuntimeError, match="corrupted"):
        download(ARCHIVES["cifar/cifar100"], folder)
    assert [path.name for path in folder.parent.iterdir()] == ["cifar-100-python.tar.gz"]


def test_what_is_known_of_cifar_without_its_data(tmp_path):
    options = {"downloads": str(tmp_path), "val_share": 0.1}
    assert [SOURCES[name].n_classes(options) for name in SETS] == [10, 100]
    assert [SOURCES[name].smallest_class(options) for name in SETS] == [4500, 450]
    assert all(SOURCES[name].missing(options) == [] for name in SETS)  # it will be downloaded
