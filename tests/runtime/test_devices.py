"""Devices: jobs that share a box each work on one of their own."""

import os
import subprocess
import sys

import pytest

from lighthouse.runtime.devices import lock, take_devices, visible_devices
from lighthouse.runtime.errors import DataError
from repository import LIBRARY, ROOT

HOLDER = """
import sys
from pathlib import Path
from lighthouse.runtime.devices import lock
wanted, folder, *devices = sys.argv[1:]
print(*lock(int(wanted), devices, Path(folder), poll_seconds=0.05), flush=True)
{then}
"""


@pytest.fixture
def holder(tmp_path):
    """Starts processes that lock devices, say which on stdout, and wait to be ended."""
    started = []

    def start(wanted, *devices, then="sys.stdin.read()"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER.format(then=then), str(wanted), tmp_path, *devices],
            env={**os.environ, "PYTHONPATH": str(LIBRARY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def says(process):
    return process.stdout.readline().split()


def test_two_jobs_take_different_devices_and_a_third_waits_for_one(holder):
    first, second = holder(1, "a", "b"), holder(1, "a", "b")
    taken = says(first) + says(second)
    assert sorted(taken) == ["a", "b"]
    third = holder(1, "a", "b")
    with pytest.raises(subprocess.TimeoutExpired):
        third.wait(timeout=1.0)
    first.kill()  # no chance to tidy up
    assert says(third) == taken[:1]


def test_a_job_that_wants_several_gets_them_as_they_become_free(holder):
    one = holder(1, "a", "b", "c")
    assert says(one) == ["a"]
    both = holder(2, "a", "b", "c")
    assert says(both) == ["b", "c"]
    three = holder(3, "a", "b", "c")
    both.kill()
    one.kill()
    assert says(three) == ["a", "b", "c"]


def test_a_lock_outlives_the_program_that_took_it(holder, tmp_path):
    launcher = holder(1, "a", "b", then="import os; os.execvp('cat', ['cat'])")
    assert says(launcher) == ["a"]
    launcher.stdin.write("it became cat\n")
    launcher.stdin.flush()
    assert says(launcher) == ["it", "became", "cat"]
    assert says(holder(1, "a", "b")) == ["b"]


def test_more_devices_than_there_are_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="3 devices wanted of 2"):
        lock(3, ["a", "b"], tmp_path)


@pytest.mark.parametrize(
    ("named", "wanted", "seen"),
    [
        ("3", 1, "3"),  # a cluster's choice
        ("2,3", 2, "2,3"),
        ("0", 4, "0"),
        ("", 1, ""),  # none, by the user's wish
        ("2,3", 0, "2,3"),  # a rule that asks for none
        ("2, 3,5", 1, "2"),  # a user's selection of the box's devices
        ("MIG-7/1/0,MIG-8/1/0", 1, "MIG-7/1/0"),
    ],
)
def test_a_job_keeps_to_the_devices_named_to_it(tmp_path, named, wanted, seen):
    environment = {"CUDA_VISIBLE_DEVICES": named}
    code = (
        "import sys; from pathlib import Path; from lighthouse.runtime import devices as d; "
        "e = {d.VARIABLE: sys.argv[1]}; d.take_devices(int(sys.argv[2]), e, Path(sys.argv[3])); "
        "print(e[d.VARIABLE])"
    )
    done = subprocess.run(  # a process of its own: locks last as long
        [sys.executable, "-c", code, environment["CUDA_VISIBLE_DEVICES"], str(wanted), tmp_path],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == seen, done.stderr


DRIVER = """#!/bin/sh
[ "$*" = -L ] && cat <<'END'
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-aaaa)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-bbbb)
END
"""


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A box whose driver knows two devices."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "nvidia-smi").write_text(DRIVER)
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_the_driver_names_the_devices(driver):
    assert visible_devices({}) == ["GPU-aaaa", "GPU-bbbb"]


def test_without_a_driver_there_are_no_devices(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    environment = {}
    take_devices(1, environment, tmp_path / "slots")
    assert environment == {}
    assert not (tmp_path / "slots").exists()


SNAKEFILE = """
rule all:
    input: expand("job{{i}}.txt", i=[0, 1])
rule job:
    output: "job{{i}}.txt"
    resources: gpu=1
    script: "{script}"
"""

# Each job waits until the other has begun: they hold their devices at the same time.
SCRIPT = """
import os, time
from pathlib import Path
from lighthouse.runtime.job import start
start(snakemake)
i = int(snakemake.wildcards.i)
Path(f"begun{i}").touch()
while not Path(f"begun{1 - i}").exists():
    time.sleep(0.1)
Path(snakemake.output[0]).write_text(os.environ["CUDA_VISIBLE_DEVICES"])
"""


@pytest.mark.workflow
def test_jobs_that_snakemake_runs_side_by_side_have_a_device_each(driver, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(LIBRARY))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where the locks lie
    (tmp_path / "job.py").write_text(SCRIPT)
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(script=tmp_path / "job.py"))
    profile = ["--profile", str(ROOT / "profiles" / "gpu"), "--resources", "gpu=2"]
    command = [sys.executable, "-m", "snakemake", *profile, "--cores", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = {(tmp_path / f"job{i}.txt").read_text() for i in (0, 1)}
    assert found == {"GPU-aaaa", "GPU-bbbb"}


# The folder of the locks, whose name others can foresee.


def test_the_folder_is_the_user_s_alone(tmp_path):
    assert lock(1, ["a", "b"], tmp_path / "slots") == ["a"]
    assert (tmp_path / "slots").stat().st_mode & 0o777 == 0o700
    names = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "slots").iterdir()}
    assert names == {"turn": 0o600, "device-a": 0o600}


def test_a_name_of_a_device_leads_nowhere_else(tmp_path):
    lock(1, ["../../x", ".."], tmp_path / "slots")
    lock(1, [".."], tmp_path / "slots")
    assert [path.name for path in tmp_path.iterdir()] == ["slots"]
    names = sorted(path.name for path in (tmp_path / "slots").iterdir())
    assert names == ["device-..", "device-.._.._x", "turn"]


@pytest.fixture
def mine(tmp_path):
    """A file that a planted link leads to, in a folder of its own."""
    path = tmp_path / "mine" / "turn"
    path.parent.mkdir()
    path.write_text("dear to me")
    yield path
    assert path.read_text() == "dear to me"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_in_the_folder_s_place_is_told(tmp_path, mine):
    (tmp_path / "slots").symlink_to(mine.parent)
    with pytest.raises(DataError, match=r"slots: is no folder, or a link .*; remove it"):
        lock(1, ["a", "b"], tmp_path / "slots")


@pytest.mark.parametrize("name", ["turn", "device-a"])
def test_a_link_in_a_file_s_place_is_not_followed(tmp_path, mine, name):
    (tmp_path / "slots").mkdir(0o700)
    (tmp_path / "slots" / name).symlink_to(mine)
    with pytest.raises(DataError, match=f"slots/{name}: is a link; remove it"):
        lock(1, ["a", "b"], tmp_path / "slots")


def test_a_file_in_the_folder_s_place_is_told(tmp_path):
    (tmp_path / "slots").touch()
    with pytest.raises(DataError, match="slots: is no folder, or a link"):
        lock(1, ["a", "b"], tmp_path / "slots")


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_to_is_told(tmp_path, mode):
    (tmp_path / "slots").mkdir()
    (tmp_path / "slots").chmod(mode)
    with pytest.raises(DataError, match=rf"others may write to it \(mode {mode:o}\); remove it"):
        lock(1, ["a", "b"], tmp_path / "slots")


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder away")
def test_a_folder_of_another_user_is_told(tmp_path):
    (tmp_path / "slots").mkdir(0o700)
    os.chown(tmp_path / "slots", 12345, -1)
    with pytest.raises(DataError, match=r"belongs to another user \(uid 12345\); remove it"):
        lock(1, ["a", "b"], tmp_path / "slots")
