"""The scripts of the metrics, run as Snakemake runs them."""

import csv
import json
import logging
import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

from lighthouse.datasets.index import ImageIndex
from lighthouse.runtime.files import read_arrays, write_tensors
from repository import ROOT
from toy_metrics import CELL, pictures, rng


@pytest.fixture
def untouched_process(monkeypatch):
    """Undo what a script does to its process: arguments, logging, threads."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    yield monkeypatch
    root.handlers[:] = handlers
    root.setLevel(level)


def run_script(monkeypatch, name, inputs, params, outputs):
    """Run a rule's script by hand in this process."""
    command = [name, "--threads", "1", "--wildcard", "dataset=toy"]
    for kind, pairs in {"input": inputs, "param": params, "output": outputs}.items():
        for key, value in pairs.items():
            value = str(value) if isinstance(value, Path) else json.dumps(value, default=str)
            command += [f"--{kind}", f"{key}={value}"]
    monkeypatch.setattr(sys, "argv", command)
    runpy.run_path(str(ROOT / "workflow" / "scripts" / name))


@pytest.fixture
def study(tmp_path, untouched_process):
    """Metrics of one small cell, as the rules' scripts make them from images to tables."""
    rows = [("train", i % 2, "ab"[i % 2], f"{i}.png") for i in range(12)]
    rows += [("val", i % 2, "ab"[i % 2], f"{i}.png") for i in range(2)]
    for pixels, row in zip(pictures(12), rows, strict=False):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / row[3])
    ImageIndex.write(tmp_path / "index.tsv", rows)
    images = {f"seed~{s}": pictures(6, seed=s).reshape(2, 3, 3, 16, 16) for s in (0, 1)}
    latents = {f"seed~{s}": rng(s).normal(size=(2, 3, 1, 4, 4)) for s in (0, 1)}
    write_tensors(tmp_path / "images.safetensors", images, {})
    write_tensors(tmp_path / "latents.safetensors", latents, {})

    def run(name, inputs, params, outputs):
        given = {key: tmp_path / value for key, value in inputs.items() if isinstance(value, str)}
        lists = {
            key: [tmp_path / path for path in value]
            for key, value in inputs.items()
            if isinstance(value, list)
        }
        made = {key: tmp_path / value for key, value in outputs.items()}
        run_script(untouched_process, f"{name}.py", {**given, **lists}, params, made)

    options = {"kind": "trained", "name": "toy-convnet", "epochs": 1}
    real = {"image_size": 16, "images_per_class": 4}
    cell = {**CELL, "ipc": 2}
    swept = {**cell, "eta_dpp": 9.0}
    index, files = {"index": "index.tsv"}, {"extractor": "e.safetensors"}
    run(
        "extractor",
        {**index, "weights": []},
        {**real, "extractor": options},
        {"weights": "e.safetensors"},
    )
    run("features", {**index, **files}, real, {"features": "f.safetensors"})
    files |= {"features": "f.safetensors"}
    sets = {"images": ["images.safetensors"] * 2, "latents": ["latents.safetensors"] * 2}
    cells = {"cells": [cell, swept], "table_cells": [cell], "seeds": [0, 1]}
    run(
        "set_metrics",
        {**files, **sets},
        {**cells, "epsilon": 1e-3, "neighbours": 2, "ssim_pairs": 1},
        {"diversity": "diversity.csv", "frechet": "frechet.csv"},
    )
    # A coreset: the same set under both seeds.
    for name, values in (("images", images), ("latents", latents)):
        write_tensors(
            tmp_path / f"one-{name}.safetensors", dict.fromkeys(values, values["seed~0"]), {}
        )
    run(
        "set_metrics",
        {**files, "images": ["one-images.safetensors"], "latents": ["one-latents.safetensors"]},
        {**cells, "cells": [cell], "epsilon": 1e-3, "neighbours": 2, "ssim_pairs": 1},
        {"diversity": "one-diversity.csv", "frechet": "one-frechet.csv"},
    )
    run(
        "spectrum",
        {**files, "images": "images.safetensors"},
        {"source": "RSM", "ipc": 2, "seeds": [0, 1]},
        {"values": "spectrum.csv", "ranks": "ranks.csv"},
    )
    return tmp_path


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_metrics_scripts_make_their_tables(study):
    assert {k: v.shape for k, v in read_arrays(study / "f.safetensors").items()} == {
        "features": (8, 128),
        "labels": (8,),
        "rows": (8,),
    }
    (distance,) = table(study / "frechet.csv")
    assert distance["extractor"] == "toy-convnet"
    assert (distance["n_real"], distance["n_sets"]) == ("8", "2")
    assert (distance["n_synthetic_per_set"], distance["kid_subset_size"]) == ("4", "4")
    assert distance["n_synthetic"] == str(2 * 2 * 2)
    assert float(distance["fid"]) > 0 and distance["fid_std"]
    sets = table(study / "diversity.csv")
    assert [row["seed"] for row in sets] == ["0", "1"] * 2
    assert [row["eta_dpp"] for row in sets] == ["1"] * 2 + ["9"] * 2
    # Two images a class and two neighbours: no recall.
    assert all(row["recall"] == "" and float(row["precision"]) <= 1 for row in sets)
    assert sets[0]["n_pairs"] == "1" and sets[0]["ssim"] != sets[1]["ssim"]
    assert [row["n"] for row in table(study / "ranks.csv")] == ["4", "4"]
    assert len(table(study / "spectrum.csv")) == 2 * (2 * 2 - 1)


def test_a_set_that_is_the_same_under_all_seeds_counts_once(study):
    (distance,) = table(study / "one-frechet.csv")
    assert (distance["n_sets"], distance["n_synthetic"]) == ("1", "4")
    assert distance["fid"] == distance["fid_pooled"] != ""
    assert (distance["fid_std"], distance["kid_std"]) == ("", "")
    assert [row["seed"] for row in table(study / "one-diversity.csv")] == ["0", "1"]
