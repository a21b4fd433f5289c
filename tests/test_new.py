"""The command that writes a study file for a folder of images."""

import os
import re

import numpy as np
import pytest
from PIL import Image

from lighthouse import new
from lighthouse.check import study_of
from lighthouse.proposal import speeds
from lighthouse.proposal.draft import Machine, draft
from lighthouse.proposal.study_file import Lengths, text_of
from lighthouse.proposal.study_file import study_of as study_of_text
from surveys import SPEEDS, asked, survey


@pytest.fixture
def images(tmp_path):
    """A folder of three classes of noise, in given parts."""
    rng = np.random.default_rng(0)
    for part in ("train", "val"):
        for label in range(3):
            folder = tmp_path / "images" / part / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(40):
                pixels = rng.integers(0, 256, (50, 60, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "images"


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """A machine of two cores and no GPU whose speeds are known; the folder to work in."""
    monkeypatch.setattr(speeds, "measured", lambda *_: SPEEDS)
    monkeypatch.setattr(new, "import_lazily", lambda: None)  # of this process all is loaded
    monkeypatch.setattr(new, "visible_devices", lambda _: [])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys, *arguments):
    """The lines that the command says, and its status."""
    status = new.main([str(word) for word in arguments])
    return status, capsys.readouterr().out.splitlines()


def test_a_folder_becomes_a_study_in_order(quick, images, capsys):
    status, lines = told(capsys, "birds", "--images", "images")
    assert status == 0
    assert len(lines) <= 30
    assert max(map(len, lines)) <= max(100, len(str(quick)) + 80)
    path = quick / "birds.yaml"
    assert lines[-1].strip() == f"uv run snakemake --cores all --configfile {path}"
    assert "small" in "".join(lines)
    study = study_of([path])
    assert study.config["study"] == "birds"
    assert study.dataset("images")["root"] == str(images)
    total = sum(map(float, re.findall(r"^ +(\d+\.\d)  \w", "\n".join(lines), re.MULTILINE)))
    (stated,) = re.findall(r"about (\d+) minutes:", "\n".join(lines))
    assert 5 < total < 30
    assert total == pytest.approx(float(stated), abs=1)


def test_the_options_are_taken(quick, images, capsys):
    words = ["birds", "--images", images, "--size", 40, "--ipc", 2, 1, "--minutes", 60]
    status, _ = told(capsys, *words, "--preset", "medium", "--out", quick / "other.yaml")
    assert status == 0
    study = study_of([quick / "other.yaml"])
    assert study.config["preset"] == "medium"
    assert study.dataset("images")["image_size"] == 40
    assert study.run["ipc"] == [1, 2]


@pytest.mark.parametrize("name", ["no", "null", "yes", "true"])
def test_a_name_that_yaml_takes_for_another_type_is_a_word(quick, images, capsys, name):
    status, lines = told(capsys, name, "--images", images, "--out", "my study.yaml")
    assert status == 0, lines
    assert study_of([quick / "my study.yaml"]).config["study"] == name
    # And the command can be pasted, here and in the file.
    assert lines[-1].endswith(f"--configfile '{quick / 'my study.yaml'}'")
    first = (quick / "my study.yaml").read_text("utf-8").splitlines()[0]
    assert first.endswith(lines[-1].strip())


def test_images_in_folders_of_a_class_are_measured_too(images):
    for path in sorted((images / "train" / "class0").iterdir()):
        (images / "train" / "class0" / "more").mkdir(exist_ok=True)
        path.rename(images / "train" / "class0" / "more" / path.name)
    assert len(new._some(new.look(images))) == 12


def test_too_little_memory_is_told(quick, images, capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate much")

    monkeypatch.undo()
    monkeypatch.chdir(quick)
    monkeypatch.setattr(speeds, "_measured", fail)
    status, lines = told(capsys, "birds", "--images", images, "--size", 64)
    assert status == 1
    assert lines[-1].startswith("a training at 64 px does not fit into this machine's memory")
    assert not (quick / "birds.yaml").exists()


def test_what_is_wrong_with_the_folder_is_told_and_nothing_written(quick, images, capsys):
    for part in ("train", "val"):
        for label in (1, 2):
            (images / part / f"class{label}").rename(quick / f"{part}{label}")
    status, lines = told(capsys, "birds", "--images", images)
    assert status == 1
    assert any("one class alone" in line for line in lines)
    assert not (quick / "birds.yaml").exists()


def test_this_machine_is_measured(tmp_path, images):
    wish = asked(images=images, size=16, preset="small")
    of = draft(wish, survey(40, 40, 40, layout="parts"), Machine(1, False))
    study = study_of_text(text_of(of, Lengths(1, 500), "Of a test."), tmp_path)
    files = sorted(images.glob("train/*/*.png"))
    found = speeds.measured(study, "images", files[:4], 0.01)
    assert found.start > 0.1  # torch is loaded
    assert all(value >= 0 for value in vars(found).values())
    # A step of the sampler is a difference, and may be lost where much else runs.
    assert min(found.read, found.prior_step, found.autoencoder_step) > 1e-6
    assert 0 < found.sampler_step < found.prior_step
