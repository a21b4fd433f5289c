"""Mosaics through Snakemake: what their job waits for, and what it leaves."""

import numpy as np
import pytest

from lighthouse.diffusion.autoencoder import encode, load_autoencoder
from lighthouse.runtime.files import read_about, read_arrays, read_json, read_tensors
from repository import ROOT
from running import snakemake

TINY = ROOT / "tests" / "configs" / "tiny.yaml"
BATCHES = "results/batches/samples/digits"
CELL = "results/samples/digits/rded/ipc~2/table"

pytestmark = pytest.mark.workflow


def tiny(folder, *arguments):
    where = "--cores", 1, "--directory", folder, "--configfile", TINY
    done = snakemake(*where, *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_real_images_wait_for_no_classifier(tmp_path):
    plain, own = (
        tiny(tmp_path, "-n", "--quiet", "rules", "--", f"{BATCHES}/{kind}/0.json")
        for kind in ("real", "composed")
    )
    assert "classifier" not in plain and "coreset" in plain
    assert "classifier" in own and "autoencoder" in own and "features" not in own


def test_mosaics_are_encoded_and_tell_whose_pieces_they_are(tmp_path):
    tiny(tmp_path, "--", f"{BATCHES}/composed/0.json")
    batch, record = (
        read_json(tmp_path / p) for p in (f"{BATCHES}/composed/0.json", f"{CELL}/record.json")
    )
    assert (len(batch["made"]), batch["failed"]) == (1, {})
    images = read_tensors(tmp_path / CELL / "images.safetensors")["seed~10"]
    latents = read_tensors(tmp_path / CELL / "latents.safetensors")["seed~10"]
    assert images.shape == (10, 2, 3, 16, 16)
    model = load_autoencoder(tmp_path / "results/autoencoders/digits")
    assert np.allclose(latents.flatten(0, 1), encode(model, images.flatten(0, 1)), atol=1e-5)
    # Four sets of two images of ten classes; of each class 20 images were drawn, and 2 pieces each.
    assert (record["images"], record["scored"]) == (80, 4 * 10 * 20 * 2)
    files = np.array(record["chosen"]["seed~10"])
    assert files.shape == (10, 2, 4)
    assert all(len(set(own.ravel())) == 8 for own in files)
    assert all(
        name.startswith(f"images/train/{label}/")
        for label in range(10)
        for name in files[label].ravel()
    )
    about = read_about(tmp_path / CELL / "images.safetensors")
    assert about["options"]["rded"] == {"images": 20, "crops": 2}
    answers = read_about(tmp_path / "results/classifiers/digits.safetensors")["options"]
    assert 0 <= answers["accuracy"]["val"] <= 1
    sets = read_arrays(tmp_path / CELL / "images.safetensors")
    assert not np.array_equal(sets["seed~0"], sets["seed~10"])
