"""Archives on the net: verified, laid out as class folders, and read, CIFAR's among them."""

import hashlib
import pickle
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
from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.labels import LABELS
from lighthouse.datasets.sources import SOURCES
from lighthouse.runtime.errors import DataError
from pictures import noise

# Archives.


def test_the_archives_and_their_sums_are_torchvision_s():
    from torchvision import datasets

    theirs = sorted(datasets.Imagenette._ARCHIVES.values())
    ours = [(e.url, e.md5) for name, e in EDITIONS.items() if name.startswith("imagenette")]
    assert sorted(ours) == theirs
    for archive in SETS.values():
        own = getattr(datasets, archive.dataset)
        assert (archive.url, archive.md5) == (own.url, own.tgz_md5)


def test_sums_are_whole():
    for archive in ARCHIVES.values():
        assert len(archive.md5) == 32 and len(archive.sha256 or 64 * "?") == 64
    unknown = [name for name, archive in EDITIONS.items() if not archive.sha256]
    assert unknown == ["imagewoof2", "imagewoof2-320", "imagewoof2-160"]


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


#: Members by what is wrong with them: name, type, and where a link leads.
MEMBERS = {
    "a name that leads out": ("../planted", tarfile.REGTYPE, ""),
    "a link to an absolute name": ("imagewoof2-160/to", tarfile.SYMTYPE, "/etc"),
    "a link that leads out": ("imagewoof2-160/to", tarfile.SYMTYPE, "../../../etc"),
    "a hard link that leads out": ("to", tarfile.LNKTYPE, "../../planted"),
    "a device": ("null", tarfile.CHRTYPE, ""),
    "a pipe": ("pipe", tarfile.FIFOTYPE, ""),
}


@pytest.mark.parametrize(("name", "kind", "leads_to"), MEMBERS.values(), ids=list(MEMBERS))
def test_an_archive_writes_nowhere_but_in_its_folder(tmp_path, monkeypatch, name, kind, leads_to):
    _, folder = given(tmp_path, "imagewoof2-160")
    folder.parent.mkdir(parents=True)
    file = folder.parent / "imagewoof2-160.tgz"
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, leads_to
    with tarfile.open(file, "w:gz") as tar:
        tar.addfile(member)
    md5 = hashlib.md5(file.read_bytes()).hexdigest()
    archive = replaced(monkeypatch, "fastai/imagewoof2-160", md5=md5)
    with pytest.raises(DataError, match=r"160\.tgz: cannot be unpacked: .*; get it anew"):
        download(archive, folder)
    assert [path.name for path in folder.parent.iterdir()] == [file.name]
    assert [path.name for path in tmp_path.iterdir()] == ["downloads"]


def test_a_collision_of_md5_is_told_by_sha256(tmp_path, monkeypatch, served):
    name, url, md5 = served
    archive = replaced(monkeypatch, f"fastai/{name}", url=url, md5=md5, sha256=64 * "0")
    _, folder = given(tmp_path, name)
    with pytest.raises(DataError, match=f"its sha256 is [0-9a-f]{{64}}, not {64 * '0'}"):
        download(archive, folder)
    assert list(folder.parent.iterdir()) == []


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
    replaced(
        monkeypatch,
        "cifar/cifar100",
        md5=md5,
        sha256=None,
        url=f"http://127.0.0.1:9/{archive.name}",
    )
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
