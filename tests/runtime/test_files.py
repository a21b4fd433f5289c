"""Files after a kill, on a full disk, and files that cannot be read."""

import errno
import json
import os
import resource
import socket
import subprocess
import time
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from PIL import Image

from killed import killed_while_writing
from lighthouse.runtime import files
from lighthouse.runtime.checkpoint import save
from lighthouse.runtime.errors import DataError, StorageError
from lighthouse.runtime.faults import barred, in_words, reading
from lighthouse.runtime.files import read_json, set_aside, whole, write_json, write_tensors


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# What killed writers leave.


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path, what):
    left = killed_while_writing(tmp_path / "a.json", what)
    assert left.exists()
    write_json(tmp_path / "a.json", {})
    assert names(tmp_path) == ["a.json"]


def test_what_another_is_writing_stays(tmp_path):
    """Two processes, and two files of which one's name begins with the other's."""
    machine = files._machine()
    of_a_living = tmp_path / f".a.{machine}.{os.getppid()}.part"
    of_another = killed_while_writing(tmp_path / "a.b")
    of_another_machine = tmp_path / ".a.elsewhere.1.part"
    for path in (of_a_living, of_another_machine):
        path.write_text("half")
    write_json(tmp_path / "a", {})
    assert {of_a_living, of_another, of_another_machine} <= {*tmp_path.iterdir()}
    a_day_ago = time.time() - files.A_DAY - 1
    os.utime(of_another_machine, (a_day_ago, a_day_ago))
    write_json(tmp_path / "a", {})
    assert not of_another_machine.exists()
    assert of_a_living.exists()


def test_what_an_earlier_process_of_the_same_number_left_is_no_hindrance(tmp_path):
    left = tmp_path / f".a.{files._machine()}.{os.getpid()}.part"
    left.mkdir()
    with whole(tmp_path / "a") as beside:
        beside.mkdir()
    assert names(tmp_path) == ["a"]
    assert socket.gethostname().replace(".", "-") in left.name


# A folder in place of another.


class Killed(BaseException):
    """As a signal would end the process."""


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_between_the_renames_leaves_no_half_folder(tmp_path, monkeypatch, renames):
    def write(name):
        with whole(tmp_path / "a") as beside:
            beside.mkdir()
            (beside / name).touch()
            (beside / "metadata.json").touch()

    write("old")
    replace, done = type(tmp_path).replace, []

    def counted(self, target):
        if len(done) == renames:
            raise Killed
        done.append(target)
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "replace", counted)
        patch.setattr(files, "_remove", lambda path: None)  # a kill cleans up nothing
        patch.setattr(os.path, "lexists", lambda path: False)
        with pytest.raises(Killed) if renames < 2 else nullcontext():
            write("new")
    found = names(tmp_path / "a") if (tmp_path / "a").exists() else None
    assert found == {0: ["metadata.json", "old"], 1: None, 2: ["metadata.json", "new"]}[renames]
    write("newer")
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["metadata.json", "newer"]


def test_an_older_folder_is_put_back_where_the_new_one_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    replace = type(tmp_path).replace

    def failing(self, target):
        if self.name.endswith(".part"):
            raise OSError(errno.ENOSPC, "no")
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", failing)
    with pytest.raises(StorageError, match="the disk is full"), whole(tmp_path / "a") as beside:
        beside.mkdir()
    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["old"])


# On the disk before they have their name.


def test_all_files_of_a_folder_are_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    order, replace, sync = [], type(tmp_path).replace, files._sync
    monkeypatch.setattr(files, "_sync", lambda path: order.append(path.name) or sync(path))
    monkeypatch.setattr(
        type(tmp_path), "replace", lambda self, to: order.append("renamed") or replace(self, to)
    )
    with whole(tmp_path / "a") as beside:
        (beside / "b").mkdir(parents=True)
        (beside / "b" / "one.png").touch()
        (beside / "two.png").touch()
    synced, after = order[: order.index("renamed")], order[order.index("renamed") + 1 :]
    assert {"b", "one.png", "two.png", beside.name} == {*synced}
    assert after == [tmp_path.name]


# Disks that take nothing.


@contextmanager
def limited(size):
    """No file may grow beyond so many bytes: what a full disk does, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


BIG = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)


def write_image(path):
    with whole(path) as beside:
        Image.fromarray(BIG).save(beside)


def write_folder(path):
    with whole(path) as beside:
        beside.mkdir()
        write_json(beside / "record", {"x": "x" * 9000})


def write_checkpoint(path):
    model = torch.nn.Linear(100, 100)
    save(path, "key", {"model": model}, torch.Generator(), 1)


def write_figure(path):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.gca().imshow(BIG)
    with whole(path) as beside:
        figure.savefig(beside)


WRITERS = {
    "record.json": lambda path: write_json(path, {"x": "x" * 9000}),
    "t.safetensors": lambda path: write_tensors(path, {"x": torch.zeros(5000)}, {}),
    "a.safetensors": lambda path: write_tensors(path, {"x": BIG}, {}),
    "image.png": write_image,
    "figure.png": write_figure,
    "folder": write_folder,
    "checkpoint": write_checkpoint,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_says_that_the_disk_takes_no_more_and_leaves_nothing(tmp_path, name):
    with limited(4000), pytest.raises(StorageError) as error:
        WRITERS[name](tmp_path / name)
    assert str(error.value) == (
        f"{tmp_path / name}: larger than a file may be here; raise the limit (ulimit -f), and the "
        "same command goes on"
    )
    assert names(tmp_path) == []
    WRITERS[name](tmp_path / name)
    assert names(tmp_path) == [name]


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 64 KiB. Mounting one takes rights that not everybody has."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("name", ["t.safetensors", "image.png", "folder", "checkpoint"])
def test_a_full_disk_is_told_and_older_files_stay(tiny_disk, name):
    write_json(tiny_disk / "old.json", {"old": 1})
    (tiny_disk / "ballast").write_bytes(bytes(56 * 1024))
    with pytest.raises(StorageError, match=r"the disk is full; make room, and the same command"):
        WRITERS[name](tiny_disk / name)
    assert names(tiny_disk) == ["ballast", "old.json"]
    assert read_json(tiny_disk / "old.json") == {"old": 1}


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises(StorageError, match=r"results: a file stands where a folder is needed"):
        write_json(tmp_path / "results" / "a" / "b.json", {})


def as_nobody(work):
    """What a function returns, in a child that is not root: root may write everywhere."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            os.write(sending, (work() or "allowed").encode())
        finally:  # whatever happens: no second process goes on with the tests
            os._exit(0)
    os.close(sending)
    os.waitpid(child, 0)
    with os.fdopen(receiving) as said:
        return said.read()


def test_a_folder_that_this_user_may_not_write_to_is_told(tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o555)

    def written():
        try:
            write_json(tmp_path / "closed" / "a" / "b.json", {})
        except StorageError as error:
            return str(error)

    words = "permission denied; let this user read and write there, or name another place"
    place = tmp_path / "closed"
    assert as_nobody(lambda: barred(place / "a")) == f"{place}: {words} (--directory)"
    assert as_nobody(written) == f"{place / 'a'}: {words} (--directory)"
    assert barred(tmp_path / "new" / "one") is None


def test_what_has_nothing_to_do_with_the_disk_stays_what_it_is(tmp_path):
    with pytest.raises(ZeroDivisionError), whole(tmp_path / "a"):
        raise ZeroDivisionError
    assert in_words(KeyError("x"), "a") is None
    assert in_words(OSError(errno.ENOSPC, "no")) is None  # of which file?
    assert "the disk is full" in in_words(OSError(errno.ENOSPC, "no"), "a")


# What is read.


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, torch.AcceleratorError])
def test_what_memory_or_a_device_cannot_do_is_no_fault_of_the_file(tmp_path, error):
    with pytest.raises(error), reading(tmp_path / "a"):
        raise error("no room")


def test_a_record_says_what_it_lacks(tmp_path):
    write_json(tmp_path / "a.json", {"x": 1})
    record = read_json(tmp_path / "a.json")
    assert (record["x"], record.get("y"), "y" in record) == (1, None, False)
    assert json.loads(json.dumps(record)) == {**record} == {"x": 1}
    with pytest.raises(DataError, match=r"a\.json has no y; remove it, and the same command"):
        record["y"]


def test_what_is_set_aside_is_kept_and_an_older_one_replaced(tmp_path):
    for text in ("one", "two"):
        (tmp_path / "a").write_text(text)
        set_aside(tmp_path / "a")
    assert names(tmp_path) == ["a.unreadable"]
    assert (tmp_path / "a.unreadable").read_text() == "two"
