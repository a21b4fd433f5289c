"""Metrics: each against a case whose answer is known."""

import csv
import json
import logging
import runpy
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch_fidelity.metric_fid import fid_features_to_statistics

from lighthouse.datasets import ImageIndex
from lighthouse.metrics import frechet, setutility
from lighthouse.metrics.diversity import RealClasses, diversity_row
from lighthouse.metrics.features import Extractor
from lighthouse.metrics.frechet import distance_row, frechet_distance, statistics
from lighthouse.metrics.sets import class_sets
from lighthouse.metrics.setutility import coverage, log_det, radii
from lighthouse.metrics.spectrum import (
    effective_rank,
    energy_left,
    rank_row,
    singular_values,
    stable_rank,
    value_rows,
)
from lighthouse.metrics.ssim import chosen_pairs, mean_ssim
from lighthouse.metrics.trained import Trained
from lighthouse.runtime.files import read_arrays, write_tensors
from lighthouse.runtime.rng import generator
from lighthouse.students.networks import ConvNet

BASE = Path(__file__).parents[1]


#: What names a cell, but for its IPC.
CELL = {"dataset": "toy", "method": "m", "lambda": 0.0, "eta_dpp": 1.0, "mu_dm": 2.0}


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(n, seed=0):
    return rng(seed).integers(0, 256, (n, 3, 16, 16), np.uint8)


@pytest.fixture(scope="module")
def extractor():
    torch.manual_seed(0)
    state = ConvNet(3, 32, 16, 2).state_dict()
    return Extractor(Trained(state, {"image_size": 16, "n_classes": 2}), "toy")


# Utility of a set.


def test_log_det_of_orthogonal_latents_is_that_of_the_identity():
    latents = 3 * np.eye(4, 16).reshape(4, 1, 4, 4)
    assert log_det(latents, 0.01) == pytest.approx(4 * np.log(1.01))


def test_log_det_of_identical_latents_is_the_formula_by_hand():
    latents = np.ones((3, 1, 2, 2))  # the kernel is all ones: eigenvalues 3, 0, 0
    assert log_det(latents, 0.01) == pytest.approx(np.log(3.01) + 2 * np.log(0.01))


def test_log_det_ignores_the_length_of_latents():
    latents = rng().normal(size=(4, 2, 3, 3))
    scaled = latents * np.array([1, 5, 0.1, 2])[:, None, None, None]
    assert log_det(scaled, 1e-3) == pytest.approx(log_det(latents, 1e-3))


def covered(real, synthetic, neighbours):
    return coverage(real, radii(real, neighbours), synthetic)


def test_the_real_images_cover_themselves():
    real = rng().normal(size=(30, 5))
    assert covered(real, real, neighbours=3) == 1


def test_images_far_away_cover_nothing():
    real = rng().normal(size=(30, 5))
    assert covered(real, real + 100, neighbours=3) == 0


def test_coverage_of_points_on_a_line_is_the_count_by_hand():
    real = np.arange(6.0)[:, None]  # the nearest neighbour of each is 1 away
    assert covered(real, np.array([[0.4]]), neighbours=1) == pytest.approx(2 / 6)
    assert covered(real, np.array([[0.4], [4.5]]), neighbours=1) == pytest.approx(4 / 6)


def test_identical_synthetic_images_cover_less_than_diverse_ones():
    real = rng().normal(size=(40, 3))
    assert covered(real, real[:1].repeat(10, 0), 3) < covered(real, real[:10], 3)


def test_rounding_does_not_decide_whether_a_real_image_covers_its_neighbour():
    real = np.arange(6.0)[:, None]  # image 0 lies on the radii of itself and of image 1
    for shift in (-1e-6, 0, 1e-6):
        assert covered(real, real[:1] + shift, neighbours=1) == pytest.approx(2 / 6)


def test_the_radius_is_the_distance_of_the_kth_of_the_others():
    real = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert radii(real, 1) == pytest.approx([1, 1, 2, 4])
    assert radii(real, 2) == pytest.approx([3, 2, 3, 6])
    assert radii(real, 9) == pytest.approx([7, 6, 4, 7])  # the farthest there is


def test_radii_do_not_depend_on_the_block(monkeypatch):
    real = rng().normal(size=(30, 5))
    whole = radii(real, 3)
    monkeypatch.setattr(setutility, "BLOCK", 7)
    assert radii(real, 3) == pytest.approx(whole)


# Structural similarity.


def ssim(images):
    return mean_ssim(images, list(combinations(range(len(images)), 2)))


def test_identical_images_have_a_similarity_of_one():
    assert ssim(pictures(1).repeat(3, 0)) == pytest.approx(1)


def test_one_image_alone_has_no_similarity():
    assert np.isnan(ssim(pictures(1)))


def test_noise_is_unlike_other_noise():
    assert abs(ssim(pictures(3))) < 0.1


def test_the_similarity_of_a_set_is_the_mean_over_its_pairs():
    images = np.concatenate([pictures(1), pictures(1), pictures(1, seed=1)])
    pair = ssim(images[1:])
    assert ssim(images) == pytest.approx((1 + 2 * pair) / 3)
    assert mean_ssim(images, [(0, 2)]) == pytest.approx(pair)


def test_grey_images_of_two_constants_have_the_similarity_by_hand():
    images = np.stack([np.full((3, 16, 16), v, np.uint8) for v in (100, 150)])
    c1 = (0.01 * 255) ** 2  # variances are 0: only the luminance factor is left
    expected = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    assert ssim(images) == pytest.approx(expected)


def test_red_counts_as_luma_has_it():
    images = np.zeros((2, 3, 16, 16), np.uint8)
    images[0, 0], images[1] = 200, round(0.299 * 200)
    c1 = (0.01 * 255) ** 2
    a, b = 0.299 * 200, round(0.299 * 200)
    assert ssim(images) == pytest.approx((2 * a * b + c1) / (a**2 + b**2 + c1))


def test_all_pairs_are_taken_where_they_are_few():
    assert chosen_pairs(4, 6, generator(0)) == list(combinations(range(4), 2))
    assert chosen_pairs(1, 6, generator(0)) == []


def test_of_many_pairs_as_many_as_asked_for_are_drawn_once_each():
    pairs = chosen_pairs(30, 200, generator(0))
    assert len(set(pairs)) == 200
    assert set(pairs) <= set(combinations(range(30), 2))
    assert {i for pair in pairs for i in pair} == set(range(30))
    assert chosen_pairs(30, 200, generator(0)) == pairs != chosen_pairs(30, 200, generator(1))


# The spectrum.


def test_equal_singular_values_have_full_rank():
    values = np.full(7, 2.0)
    assert effective_rank(values) == pytest.approx(7)
    assert stable_rank(values) == pytest.approx(7)


def test_one_singular_value_has_rank_one():
    values = np.array([3.0, 0, 0])
    assert effective_rank(values) == pytest.approx(1)
    assert stable_rank(values) == pytest.approx(1)


def test_the_ranks_of_a_known_spectrum_are_the_formulas_by_hand():
    values = np.array([2.0, 1.0, 1.0])
    assert effective_rank(values) == pytest.approx(np.exp(0.5 * np.log(2) + 0.5 * np.log(4)))
    assert stable_rank(values) == pytest.approx(1.5)


def test_the_energy_left_is_the_share_behind_the_first():
    values = np.array([2.0, 1.0, 1.0])
    assert [energy_left(values, k) for k in (0, 1, 2, 3)] == pytest.approx([1, 2 / 6, 1 / 6, 0])


def test_singular_values_are_those_of_centred_features():
    features = rng().normal(size=(20, 5))
    covariance = np.cov(features, rowvar=False) * 19
    expected = np.sqrt(np.linalg.eigvalsh(covariance))[::-1]
    assert singular_values(features + 100) == pytest.approx(expected)


def test_the_direction_that_centring_takes_is_left_out():
    values = singular_values(rng().normal(size=(4, 9)))
    assert len(values) == 3
    assert values.min() > 0.1


def test_the_spectrum_table_is_normalised_by_the_first_value():
    rows = value_rows({"seed": 3}, np.array([4.0, 1.0]))
    assert rows == [
        {"seed": 3, "index": 1, "singular_value": 4.0, "normalised": 1.0},
        {"seed": 3, "index": 2, "singular_value": 1.0, "normalised": 0.25},
    ]


def test_a_rank_row_does_not_depend_on_the_scale_of_features():
    one, scaled = (rank_row({}, s * np.arange(40.0, 0, -1)) for s in (1, 1e-3))
    assert one == pytest.approx(scaled)


# Fréchet distance.


def test_a_set_is_at_distance_zero_from_itself():
    stats = statistics(rng().normal(size=(100, 6)))
    assert frechet_distance(stats, stats) == pytest.approx(0, abs=1e-8)


def test_the_distance_of_two_gaussians_is_the_formula():
    def gaussian(mean, std):
        return {"mu": np.array(mean), "sigma": np.diag(np.square(std))}

    one, other = gaussian([0.0, 0.0], [1.0, 2.0]), gaussian([3.0, 4.0], [2.0, 5.0])
    # Diagonal covariances: ‖Δμ‖² + Σ (σ₁ - σ₂)².
    assert frechet_distance(one, other) == pytest.approx(25 + 1 + 9)


def test_the_distance_of_two_samples_is_near_that_of_their_gaussians():
    one = statistics(rng(0).normal(0, 1, (50_000, 2)))
    other = statistics(rng(1).normal(1, 2, (50_000, 2)))
    assert frechet_distance(one, other) == pytest.approx(2 * (1 + 1), rel=0.03)


def test_statistics_are_torch_fidelitys_whatever_the_block(monkeypatch):
    features = rng().normal(3, 2, size=(50, 4)).astype(np.float32)
    monkeypatch.setattr(frechet, "BLOCK", 13)
    ours, theirs = statistics(features), fid_features_to_statistics(torch.from_numpy(features))
    assert ours["mu"] == pytest.approx(theirs["mu"])
    assert ours["sigma"] == pytest.approx(theirs["sigma"])


def test_a_distance_row_has_the_pooled_images_and_each_seeds():
    cell = {"dataset": "toy", "method": "m", "ipc": 5, "eta_dpp": 0.0}
    real, sets = rng().normal(size=(90, 3)), [rng(s).normal(s, 1, size=(10, 3)) for s in (1, 2)]
    row = distance_row(cell, "toy-convnet", len(real), statistics(real), sets)
    seeds = [frechet_distance(statistics(real), statistics(features)) for features in sets]
    pooled = frechet_distance(statistics(real), statistics(np.concatenate(sets)))
    assert row == {
        "dataset": "toy",
        "method": "m",
        "ipc": 5,
        "extractor": "toy-convnet",
        "feature_dim": 3,
        "n_real": 90,
        "n_synthetic": 20,
        "fid": pytest.approx(pooled),
        "n_synthetic_per_seed": 10,
        "fid_seed_mean": pytest.approx(sum(seeds) / 2),
        "fid_seed_std": pytest.approx(abs(seeds[0] - seeds[1]) / np.sqrt(2)),
    }


def test_one_seed_has_no_deviation_and_one_image_no_distance():
    cell = {"dataset": "toy", "method": "m", "ipc": 1}
    real, pair = statistics(rng().normal(size=(90, 3))), rng(1).normal(size=(2, 3))
    one_seed = distance_row(cell, "toy-convnet", 90, real, [rng(1).normal(size=(4, 3))])
    assert one_seed["fid"] == one_seed["fid_seed_mean"]
    assert np.isnan(one_seed["fid_seed_std"])
    one_image = distance_row(cell, "toy-convnet", 90, real, [pair[:1], pair[1:]])
    assert np.isfinite(one_image["fid"])
    assert np.isnan(one_image["fid_seed_mean"]) and np.isnan(one_image["fid_seed_std"])


# The diversity table.


def test_a_set_is_read_class_by_class_up_to_its_ipc(tmp_path):
    images = rng().integers(0, 9, (2, 4, 3, 5, 5), np.uint8)
    write_tensors(tmp_path / "s.safetensors", {"seed~0": images, "seed~7": images + 1}, {})
    found = list(class_sets(tmp_path / "s.safetensors", seed=7, ipc=3))
    assert np.array_equal(np.stack(found), images[:, :3] + 1)


def test_a_diversity_row_is_the_mean_over_classes(extractor):
    images = np.stack([pictures(3, seed=s) for s in (0, 1)])  # 2 classes, 3 images
    latents = rng().normal(size=(2, 3, 1, 4, 4))
    real, labels = extractor.array(pictures(30, seed=2)), np.arange(30) % 2
    cell = {**CELL, "ipc": 3}
    row = diversity_row(
        cell, 5, images, latents, extractor, RealClasses(real, labels, 2), 1e-3, most_pairs=3
    )
    assert (row["seed"], row["n_pairs"]) == (5, 3)
    assert row["ssim"] == pytest.approx(np.mean([ssim(k) for k in images]))
    assert row["log_det"] == pytest.approx(np.mean([log_det(k, 1e-3) for k in latents]))
    shares = [covered(real[labels == k], extractor.array(images[k]), 2) for k in (0, 1)]
    assert row["coverage"] == pytest.approx(np.mean(shares))


def test_a_diversity_row_takes_the_pairs_of_its_seed_dataset_and_class(extractor):
    images = np.stack([pictures(9, seed=s) for s in (0, 1)])
    latents = rng().normal(size=(2, 9, 1, 4, 4))
    real = RealClasses(extractor.array(pictures(8)), np.arange(8) % 2, 2)
    cell = {**CELL, "ipc": 9}
    row = diversity_row(cell, 5, images, latents, extractor, real, 1e-3, most_pairs=4)
    drawn = [chosen_pairs(9, 4, generator("ssim-pairs", 5, "toy", k)) for k in (0, 1)]
    assert row["n_pairs"] == 4 and drawn[0] != drawn[1]
    assert row["ssim"] == pytest.approx(np.mean(list(map(mean_ssim, images, drawn))))


# The table of distances.


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
    runpy.run_path(str(BASE / "workflow" / "scripts" / name))


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
    assert (distance["n_real"], distance["n_synthetic"]) == ("8", str(2 * 2 * 2))
    assert distance["n_synthetic_per_seed"] == str(2 * 2)
    sets = table(study / "diversity.csv")
    assert [row["seed"] for row in sets] == ["0", "1"] * 2
    assert [row["eta_dpp"] for row in sets] == ["1"] * 2 + ["9"] * 2
    assert sets[0]["n_pairs"] == "1" and sets[0]["ssim"] != sets[1]["ssim"]
    assert [row["n"] for row in table(study / "ranks.csv")] == ["4", "4"]
    assert len(table(study / "spectrum.csv")) == 2 * (2 * 2 - 1)
