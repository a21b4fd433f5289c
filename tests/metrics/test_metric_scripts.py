"""The scripts of the metrics, run as Snakemake runs them, from images to records."""

from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.latents import LATENTS, MEANS
from lighthouse.metrics.setutility import log_det
from lighthouse.metrics.strategies import claims
from lighthouse.metrics.subsets import MEASURES, PICKED
from lighthouse.runtime.files import (
    read_about,
    read_arrays,
    read_json,
    without_nan,
    write_arrays,
    write_json,
    write_tensors,
)
from toy_metrics import CELL, pictures, rng

SEEDS = [0, 1]
MEASURING = {"epsilon": 1e-3, "neighbours": 2, "code": "c"}
TABLE, SWEPT = {**CELL, "ipc": 2}, {**CELL, "ipc": 2, "variant": "eta_dpp~9"}
#: A coreset: the same set of real images under each seed.
SAME = {**CELL, "method": "herding", "ipc": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run_script):
    """Real images with an extractor and their features, and files of two samples."""
    folder = tmp_path_factory.mktemp("metrics")
    rows = [("train", i % 2, "ab"[i % 2], f"{i}.png") for i in range(12)]
    rows += [("val", i % 2, "ab"[i % 2], f"{i}.png") for i in range(2)]
    for pixels, row in zip(pictures(12), rows, strict=False):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / row[3])
    ImageIndex.write(folder / "index.tsv", rows)
    images = {f"seed~{s}": pictures(6, seed=1 + s).reshape(2, 3, 3, 16, 16) for s in SEEDS}
    latents = {f"seed~{s}": rng(s).normal(size=(2, 3, 1, 4, 4)) for s in SEEDS}
    encoded = encode(folder / "encoded", 12)
    for kind, sets in (("images", images), ("latents", latents)):
        write_tensors(folder / f"m-{kind}", sets, {})
    for method in ("m", "herding"):
        write_json(folder / f"{method}.json", {"made": f"of {method}"})
    real = {"image_size": 16, "images_per_class": 4}
    run_script(
        "extractor",
        {"index": folder / "index.tsv", "weights": []},
        {"weights": folder / "extractor"},
        {**real, "extractor": {"kind": "trained", "name": "toy-convnet", "epochs": 1}},
        dataset="toy",
    )
    run_script(
        "features",
        {"index": folder / "index.tsv", "extractor": folder / "extractor"},
        {"features": folder / "features"},
        real,
        dataset="toy",
    )
    measured = read_arrays(folder / "features")
    rows = np.stack([measured["rows"][measured["labels"] == label][:3] for label in (0, 1)])
    for kind, values in (("images", pictures(12)[rows]), ("latents", encoded[rows, 0])):
        write_tensors(folder / f"herding-{kind}", {f"seed~{s}": values for s in SEEDS}, {})
    return folder


def encode(folder, count):
    """Latents of images of two classes in turn, each with that of its mirror image."""
    folder.mkdir()
    latents = rng(9).normal(size=(count, 2, 1, 4, 4)).astype(np.float32)
    labels = np.arange(count) % 2
    np.save(folder / LATENTS, latents)
    means = np.stack([latents[labels == label, 0].mean(0) for label in (0, 1)])
    made = {"labels": labels, "class_means": means}
    write_arrays(folder / MEANS, made, {"classes": ["a", "b"]})
    return latents


def files(folder, method):
    """A cell's files of samples."""
    return {kind: folder / f"{method}-{kind}" for kind in ("images", "latents")}


def cell(folder, row, distances=False, spectrum=None):
    """A cell as the rule gives it."""
    return {
        **files(folder, row["method"]),
        "sources": [folder / f"{row['method']}.json"],
        "row": row,
        "distances": distances,
        "spectrum": spectrum,
        "record": folder / row["method"] / f"{row['variant']}.json",
        "stamp": f"stamp of {row['variant']}",
    }


def measure(folder, run_script, name, cells, **params):
    """Run a script of many cells. The record of each, and the job's."""
    run_script(
        name,
        {
            "index": folder / "index.tsv",
            "latents": folder / "encoded",
            "features": folder / "features",
            "extractor": folder / "extractor",
        },
        {"record": folder / f"{name}.json"},
        {**MEASURING, "cells": cells, **params},
        dataset="toy",
    )
    return [read_json(cell["record"]) for cell in cells], read_json(folder / f"{name}.json")


@pytest.fixture(scope="module")
def records(folder, run_script):
    """The records of three cells, one job's: the tables' own, a sweep's, a coreset's."""
    cells = [
        cell(folder, TABLE, distances=True, spectrum="RSM"),
        cell(folder, SWEPT),
        cell(folder, SAME, distances=True),
    ]
    found, batch = measure(folder, run_script, "set_metrics", cells, seeds=SEEDS, ssim_pairs=1)
    made = {str(cell["record"]): record["made"] for cell, record in zip(cells, found, strict=True)}
    assert batch == {"made": made, "failed": {}, "left": {}}
    return found


def test_real_features_are_of_as_many_images_a_class_as_asked_for(folder):
    assert {k: v.shape for k, v in read_arrays(folder / "features").items()} == {
        "features": (8, 128),
        "labels": (8,),
        "rows": (8,),
    }


def test_a_cells_record_has_a_row_of_diversity_for_each_set(records):
    table, swept, _ = records
    assert [table["stamp"], swept["stamp"]] == ["stamp of table", "stamp of eta_dpp~9"]
    for record, row in ((table, TABLE), (swept, SWEPT)):
        sets = record["diversity"]
        assert [found["seed"] for found in sets] == SEEDS
        assert all(found.items() >= row.items() for found in sets)
        # Two images a class and two neighbours: no recall.
        assert all(found["recall"] is None and found["precision"] <= 1 for found in sets)
        # Of the 2 images of each class.
        assert all(found["recognised"] * 4 in range(5) for found in sets)
        assert sets[0]["n_pairs"] == 1 and sets[0]["ssim"] != sets[1]["ssim"]


def test_real_images_that_stand_for_their_class_are_seen_to_be_copies(records):
    of_noise, _, copied = (record["diversity"] for record in records)
    columns = [f"nearest_{space}{end}" for space in ("latent", "feature") for end in ("", "_min")]
    for row in copied:
        assert [row[name] for name in columns[:2]] == [0, 0]
        # The network's batches differ, and rounding with them.
        assert [row[name] for name in columns[2:]] == pytest.approx([0, 0], abs=1e-5)
    for row in of_noise:
        assert all(row[name] > 0.1 for name in columns)
        assert all(row[name] > row[f"{name}_min"] for name in columns[::2])


def test_a_cells_record_has_the_distance_of_its_sets(records):
    distance = records[0]["distances"]
    assert distance["extractor"] == "toy-convnet"
    assert (distance["n_real"], distance["n_sets"]) == (8, 2)
    assert (distance["n_synthetic_per_set"], distance["kid_subset_size"]) == (4, 4)
    assert distance["n_synthetic"] == 2 * 2 * 2
    assert distance["fid"] > 0 and distance["fid_std"] > 0


def test_a_curves_record_has_its_spectra_and_their_ranks(records):
    ranks, values = records[0]["ranks"], records[0]["spectrum"]
    assert [(row["source"], row["seed"], row["n"]) for row in ranks] == [
        ("RSM", 0, 4),
        ("RSM", 1, 4),
    ]
    assert len(values) == 2 * (2 * 2 - 1)
    assert {row["source"] for row in values} == {"RSM"}


def test_a_cell_is_measured_by_what_its_tables_ask_for_alone(records):
    parts = {"diversity", "distances", "spectrum", "ranks"}
    assert [parts & record.keys() for record in records] == [
        parts,
        {"diversity"},
        {"diversity", "distances"},
    ]


def test_a_set_that_is_the_same_under_all_seeds_counts_once(records):
    distance = records[2]["distances"]
    assert (distance["n_sets"], distance["n_synthetic"]) == (1, 4)
    assert distance["fid"] == distance["fid_pooled"] is not None
    assert (distance["fid_std"], distance["kid_std"]) == (None, None)
    assert [row["seed"] for row in records[2]["diversity"]] == SEEDS


def test_the_record_of_strategies_has_its_classes_their_tests_and_the_map(folder, run_script):
    methods = {"iid": "m", "sequential": "herding", "joint": "m", "herding": "herding"}
    asked = {
        "sets": {strategy: files(folder, method) for strategy, method in methods.items()},
        "pool": files(folder, "m"),
        "sources": [folder / f"{method}.json" for method in ("m", "herding")],
        "replicates": {seed: [seed] for seed in SEEDS},
        "ipc": 2,
        "subsets": 5,
        "shown_class": 1,
        "pool_ipc": 3,
        "shown": folder / "shown",
        "record": folder / "of-all.json",
        "stamp": "of all",
    }
    (found,), _ = measure(folder, run_script, "strategies", [asked], image_size=16)
    assert found["stamp"] == "of all"
    rows = found["classes"]
    picks = [(strategy, "", measure) for strategy in PICKED for measure in MEASURES]
    sampled = [(strategy, seed, "") for strategy in methods for seed in SEEDS]
    assert [(row["class"], row["strategy"], row["seed"], row["chosen_by"]) for row in rows] == [
        (name, *which) for name in "ab" for which in (*sampled, *picks)
    ]
    latents = read_arrays(folder / "m-latents")
    joint = {row["class"]: row for row in rows if (row["strategy"], row["seed"]) == ("joint", 1)}
    picked = [row for row in rows if row["strategy"] in PICKED]
    for label, name in enumerate("ab"):
        assert joint[name]["log_det"] == pytest.approx(log_det(latents["seed~1"][label, :2], 1e-3))
        # A pick is one of the pairs of all seeds' images, three of a class under each.
        pool = np.concatenate([latents[f"seed~{seed}"][label] for seed in SEEDS])
        pairs = [log_det(pool[list(pair)], 1e-3) for pair in combinations(range(6), 2)]
        found_here = [row["log_det"] for row in picked if row["class"] == name]
        assert all(np.isclose(pairs, value).any() for value in found_here)
    assert found["tests"] == without_nan(claims("toy", rows, {seed: seed for seed in SEEDS}))
    assert len(found["tests"]) == len(MEASURES) * (1 + 2 * 4 + 2)
    mapped = ["sequential", "joint", "herding"]
    assert list(dict.fromkeys(row["kind"] for row in found["map"])) == ["real", *mapped]
    assert {row["class"] for row in found["map"]} == {"b"}
    assert np.isfinite([(row["x"], row["y"]) for row in found["map"]]).all()
    assert read_about(folder / "shown") == {"stamp": "of all"}
    shown = read_arrays(folder / "shown")
    assert sorted(shown) == sorted(["real", *mapped])
    for strategy in mapped:
        images = read_arrays(folder / f"{methods[strategy]}-images")["seed~0"]
        assert np.array_equal(shown[strategy], images[1, :2])
    # The class has four real images among those measured: the first of its images, in order.
    own = read_arrays(folder / "features")
    rows = own["rows"][own["labels"] == 1]
    index = ImageIndex.read(folder / "index.tsv")
    assert np.array_equal(shown["real"], index.images("train", 16, 1, rows))
