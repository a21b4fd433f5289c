"""Metrics: each against a case whose answer is known."""

import csv
import json
import logging
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lighthouse.datasets import ImageIndex
from lighthouse.metrics.diversity import diversity_rows
from lighthouse.metrics.features import Extractor, load_extractor, train_extractor
from lighthouse.metrics.frechet import frechet_distance, statistics
from lighthouse.metrics.setutility import coverage, log_det
from lighthouse.metrics.spectrum import (
    effective_rank,
    energy_left,
    rank_row,
    singular_values,
    stable_rank,
    value_rows,
)
from lighthouse.metrics.ssim import mean_ssim
from lighthouse.runtime.files import write_tensors
from lighthouse.students.networks import ConvNet
from lighthouse.students.trainer import Images

BASE = Path(__file__).parents[1]


def rng(seed=0):
    return np.random.default_rng(seed)


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


def test_the_real_images_cover_themselves():
    real = rng().normal(size=(30, 5))
    assert coverage(real, real, neighbours=3) == 1


def test_images_far_away_cover_nothing():
    real = rng().normal(size=(30, 5))
    assert coverage(real, real + 100, neighbours=3) == 0


def test_coverage_of_points_on_a_line_is_the_count_by_hand():
    real = np.arange(6.0)[:, None]  # the nearest neighbour of each is 1 away
    assert coverage(real, np.array([[0.4]]), neighbours=1) == pytest.approx(2 / 6)
    assert coverage(real, np.array([[0.4], [4.5]]), neighbours=1) == pytest.approx(4 / 6)


def test_identical_synthetic_images_cover_less_than_diverse_ones():
    real = rng().normal(size=(40, 3))
    assert coverage(real, real[:1].repeat(10, 0), 3) < coverage(real, real[:10], 3)


# Structural similarity.


def pictures(n, seed=0):
    return rng(seed).integers(0, 256, (n, 3, 16, 16), np.uint8)


def test_identical_images_have_a_similarity_of_one():
    assert mean_ssim(pictures(1).repeat(3, 0)) == pytest.approx(1)


def test_one_image_alone_has_no_similarity():
    assert np.isnan(mean_ssim(pictures(1)))


def test_noise_is_unlike_other_noise():
    assert abs(mean_ssim(pictures(3))) < 0.1


def test_the_similarity_of_a_set_is_the_mean_over_its_pairs():
    images = np.concatenate([pictures(1), pictures(1), pictures(1, seed=1)])
    pair = mean_ssim(images[1:])
    assert mean_ssim(images) == pytest.approx((1 + 2 * pair) / 3)


def test_grey_images_of_two_constants_have_the_similarity_by_hand():
    images = np.stack([np.full((3, 16, 16), v, np.uint8) for v in (100, 150)])
    c1 = (0.01 * 255) ** 2  # variances are 0: only the luminance factor is left
    expected = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    assert mean_ssim(images) == pytest.approx(expected)


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


@pytest.fixture(scope="module")
def extractor():
    torch.manual_seed(0)
    return Extractor(ConvNet(2, 4, 16, 3).eval(), "toy")


def test_torch_fidelitys_own_run_gives_the_same_distance(extractor):
    import torch_fidelity
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    class Ours(FeatureExtractorBase):
        def __init__(self, name, features_list, **options):
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list():
            return ("maps",)

        @staticmethod
        def get_default_feature_layer_for_metric(metric):
            return "maps"

        @staticmethod
        def can_be_compiled():
            return False

        def forward(self, images):
            return (extractor(images),)

    class Data(torch.utils.data.Dataset):
        def __init__(self, images):
            self.images = torch.from_numpy(images)

        def __len__(self):
            return len(self.images)

        def __getitem__(self, i):
            return self.images[i]

    if "toy-extractor" not in torch_fidelity.registry.FEATURE_EXTRACTORS_REGISTRY:
        torch_fidelity.register_feature_extractor("toy-extractor", Ours)
    real, synthetic = pictures(60, seed=1), pictures(40, seed=2) // 2
    theirs = torch_fidelity.calculate_metrics(
        input1=Data(real),
        input2=Data(synthetic),
        fid=True,
        feature_extractor="toy-extractor",
        cuda=False,
        cache=False,
        verbose=False,
        batch_size=20,
        save_cpu_ram=True,  # no worker processes
    )["frechet_inception_distance"]
    stats = [statistics(extractor.array(x)) for x in (real, synthetic)]
    assert frechet_distance(*stats) == pytest.approx(theirs, rel=1e-4)


# Features.


def test_features_do_not_depend_on_the_batch(extractor):
    images = torch.from_numpy(pictures(9))
    torch.testing.assert_close(extractor(images, batch=4), extractor(images))


def test_features_keep_the_leading_axes(extractor):
    images = pictures(6)
    stacked = extractor.array(images.reshape(2, 3, 3, 16, 16))
    assert stacked.shape == (2, 3, 4 * 2 * 2)
    assert stacked.dtype == np.float64
    assert np.allclose(stacked.reshape(6, -1), extractor.array(images))


def test_an_extractor_comes_back_from_its_file(tmp_path):
    images = Images(torch.from_numpy(pictures(20)), torch.arange(20) % 2)
    score = train_extractor(images, images, "toy", 1, 0, tmp_path / "e.safetensors")
    loaded = load_extractor(tmp_path / "e.safetensors")
    assert loaded.name == "toy"
    assert 0 <= score <= 1
    assert loaded(images.images).shape == (20, 32 * 2 * 2)
    assert loaded.network.head.out_features == 2
    assert not loaded.network.training


# The diversity table.


def test_a_diversity_row_is_the_mean_over_classes_of_the_first_images(extractor):
    images = np.stack([pictures(4, seed=s) for s in (0, 1)])  # 2 classes, 4 images
    latents = rng().normal(size=(2, 4, 1, 4, 4))
    real, labels = extractor.array(pictures(30, seed=2)), np.arange(30) % 2
    cell = {"dataset": "toy", "method": "m", "ipc": 3, "eta_dpp": 1.0, "mu_dm": 2.0}
    (row,) = diversity_rows(
        cell, {"seed~5": images}, {"seed~5": latents}, [5], extractor, real, labels, 1e-3, 2
    )
    assert row["seed"] == 5
    assert row["ssim"] == pytest.approx(np.mean([mean_ssim(k[:3]) for k in images]))
    assert row["log_det"] == pytest.approx(np.mean([log_det(k[:3], 1e-3) for k in latents]))
    covered = [
        coverage(real[labels == k], extractor.array(images[k, :3]), neighbours=2) for k in (0, 1)
    ]
    assert row["coverage"] == pytest.approx(np.mean(covered))


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


@pytest.fixture
def distances(tmp_path, untouched_process):
    """The rows of the distance table of one small cell, as its rule's script writes them."""
    rows = [("train", i % 2, "ab"[i % 2], f"{i}.png") for i in range(12)]
    for pixels, row in zip(pictures(12), rows, strict=True):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / row[3])
    ImageIndex.write(tmp_path / "index.tsv", rows)
    real = Images(torch.from_numpy(pictures(12)), torch.arange(12) % 2)
    train_extractor(real, real, "toy-convnet", 1, 0, tmp_path / "e.safetensors")
    sets = {f"seed~{s}": pictures(6, seed=s).reshape(2, 3, 3, 16, 16) for s in (0, 1)}
    write_tensors(tmp_path / "images.safetensors", sets, {})
    cell = {"dataset": "toy", "method": "m", "ipc": 2, "eta_dpp": 0.0, "mu_dm": 0.0}
    arguments = {
        "input": {"index": "index.tsv", "extractor": "e.safetensors"},
        "param": {"image_size": 16, "seeds": [0, 1], "cells": [cell]},
        "output": {"table": "t.csv"},
    }
    command = ["frechet.py", "--input", f'images=["{tmp_path}/images.safetensors"]']
    for kind, pairs in arguments.items():
        for name, value in pairs.items():
            value = json.dumps(value) if kind == "param" else tmp_path / value
            command += [f"--{kind}", f"{name}={value}"]
    untouched_process.setattr(sys, "argv", command)
    runpy.run_path(str(BASE / "workflow" / "scripts" / "frechet.py"))
    with (tmp_path / "t.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_distance_table_names_the_extractor_and_both_numbers_of_images(distances):
    (row,) = distances
    assert row["extractor"] == "toy-convnet"
    assert (row["n_real"], row["n_synthetic"]) == ("12", str(2 * 2 * 2))
