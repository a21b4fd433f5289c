"""Metrics: each against a case whose answer is known."""

import json
from itertools import combinations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import (
    KEY_METRIC_FID,
    fid_features_to_statistics,
    fid_statistics_to_metric,
)
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

from lighthouse.metrics import frechet
from lighthouse.metrics.copying import RealPoints, RealSpaces
from lighthouse.metrics.diversity import diversity_row
from lighthouse.metrics.features import Extractor
from lighthouse.metrics.frechet import (
    Reference,
    distance_row,
    frechet_distance,
    kernel_distance,
    statistics,
)
from lighthouse.metrics.real_classes import RealClasses
from lighthouse.metrics.sets import class_sets, distinct_sets
from lighthouse.metrics.setutility import log_det, manifold, radii
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
from lighthouse.runtime.files import write_tensors
from lighthouse.runtime.rng import generator
from lighthouse.students.networks import ConvNet
from toy_metrics import CELL, pictures, rng


@pytest.fixture(scope="module")
def extractor():
    torch.manual_seed(0)
    state = ConvNet(3, 32, 16, 2).state_dict()
    return Extractor(Trained(state, {"image_size": 16, "n_classes": 2}), "toy")


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
    assert frechet_distance(stats, stats).value == pytest.approx(0, abs=1e-8)


def test_the_distance_of_two_gaussians_is_the_formula():
    def gaussian(mean, std):
        return {"mu": np.array(mean), "sigma": np.diag(np.square(std))}

    one, other = gaussian([0.0, 0.0], [1.0, 2.0]), gaussian([3.0, 4.0], [2.0, 5.0])
    # Diagonal covariances: ‖Δμ‖² + Σ (σ₁ - σ₂)².
    assert frechet_distance(one, other).value == pytest.approx(25 + 1 + 9)


def test_the_distance_of_two_samples_is_near_that_of_their_gaussians():
    one = statistics(rng(0).normal(0, 1, (50_000, 2)))
    other = statistics(rng(1).normal(1, 2, (50_000, 2)))
    assert frechet_distance(one, other).value == pytest.approx(2 * (1 + 1), rel=0.03)


@pytest.mark.parametrize("count", [12, 40, 400])  # two of covariances that are singular
def test_the_distance_is_torch_fidelitys_to_the_last_bit(count):
    one, other = (statistics(rng(seed).normal(size=(count, 48))) for seed in (0, 1))
    theirs = fid_statistics_to_metric(one, other, verbose=False)[KEY_METRIC_FID]
    assert frechet_distance(one, other).value == theirs


def test_statistics_are_torch_fidelitys_whatever_the_block(monkeypatch):
    features = rng().normal(3, 2, size=(50, 4)).astype(np.float32)
    monkeypatch.setattr(frechet, "BLOCK", 13)
    ours, theirs = statistics(features), fid_features_to_statistics(torch.from_numpy(features))
    assert ours["mu"] == pytest.approx(theirs["mu"])
    assert ours["sigma"] == pytest.approx(theirs["sigma"])


def test_the_kernel_distance_is_torch_fidelitys_of_subsets_as_large_as_both_allow(monkeypatch):
    real, synthetic = rng(1).normal(size=(60, 5)), rng(2).normal(0.3, 1, size=(20, 5))
    for largest, size in ((1000, 20), (8, 8)):
        monkeypatch.setattr(frechet, "LARGEST_SUBSET", largest)
        theirs = kid_features_to_metric(
            *map(torch.from_numpy, (real, synthetic)), kid_subset_size=size, verbose=False
        )
        assert kernel_distance(real, synthetic) == pytest.approx(theirs[KEY_METRIC_KID_MEAN])


def test_the_kernel_distance_of_two_pairs_is_the_estimator_by_hand():
    # Kernel (xy + 1)³, d = 1. Real 0 and 1: k = 1. Synthetic 1 and 2: k = 27.
    # Across: 1, 1, 8 and 27. Unbiased: 1 + 27 - 2 · (1 + 1 + 8 + 27)/4.
    real, synthetic = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    assert kernel_distance(real, synthetic) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_of_few_independent_images_the_kernel_distance_alone_is_unbiased(monkeypatch):
    monkeypatch.setattr(frechet, "SUBSETS", 20)
    real, few = rng(0).normal(size=(2000, 2)), [rng(s).normal(size=(10, 2)) for s in range(1, 100)]
    kernel = [kernel_distance(real, one) for one in few]
    assert min(kernel) < 0 < max(kernel)
    assert abs(np.mean(kernel)) < 2 * np.std(kernel) / len(few) ** 0.5
    fid = [frechet_distance(statistics(real), statistics(one)).value for one in few]
    assert np.mean(fid) > 10 * np.std(fid) / len(few) ** 0.5


def test_a_set_with_one_image_of_each_class_is_below_its_own_distribution():
    # Kernel 1, 1 and 8 of (0, 0), (0, 1) and (1, 1). Pairs of real images: (1 + 2 + 8)/4, as
    # across; the one pair of the set: 1, since it has none of one class.
    real, one_of_each = np.repeat([[0.0], [1.0]], 500, axis=0), np.array([[0.0], [1.0]])
    expected = 11 / 4 + 1 - 2 * 11 / 4
    assert kernel_distance(real, one_of_each) == pytest.approx(expected, abs=0.1)


#: Two sets of ten images, of which the second holds three of the first's.
FIRST, SECOND = rng(1).normal(1, 1, size=(10, 3)), rng(2).normal(2, 1, size=(10, 3))
SECOND[7:] = FIRST[:3]
IMAGES = [[b"%d" % i for i in range(10)], [b"%d" % i for i in [*range(10, 17), 0, 1, 2]]]


def test_a_distance_row_is_the_mean_over_the_sets_and_of_their_different_images():
    cell = {"dataset": "toy", "method": "m", "ipc": 5, "eta_dpp": 0.0}
    real, sets = rng().normal(size=(90, 3)), [FIRST, SECOND]
    row = distance_row(cell, "x-net", Reference(real), list(zip(sets, IMAGES, strict=True)))
    of_real = statistics(real)
    fid = [frechet_distance(of_real, statistics(features)).value for features in sets]
    kid = [kernel_distance(real, features) for features in sets]
    pooled = frechet_distance(of_real, statistics(np.concatenate([FIRST, SECOND[:7]]))).value
    assert row == {
        "dataset": "toy",
        "method": "m",
        "ipc": 5,
        "extractor": "x-net",
        "feature_dim": 3,
        "n_real": 90,
        "n_sets": 2,
        "n_synthetic_per_set": 10,
        "fid": pytest.approx(sum(fid) / 2),
        "fid_std": pytest.approx(abs(fid[0] - fid[1]) / np.sqrt(2)),
        "n_synthetic": 17,
        "fid_pooled": pytest.approx(pooled),
        "kid": pytest.approx(sum(kid) / 2),
        "kid_std": pytest.approx(abs(kid[0] - kid[1]) / np.sqrt(2)),
        "kid_subset_size": 10,
    }
    assert row["fid"] > 1.05 * row["fid_pooled"]


def test_one_set_has_no_deviation_and_one_image_no_distance():
    cell = {"dataset": "toy", "method": "m", "ipc": 1}
    real, pair = Reference(rng().normal(size=(90, 3))), rng(1).normal(size=(2, 3))
    one_set = distance_row(cell, "x-net", real, [(FIRST, IMAGES[0])])
    assert (one_set["n_sets"], one_set["n_synthetic"]) == (1, 10)
    assert one_set["fid"] == pytest.approx(one_set["fid_pooled"])
    assert np.isnan(one_set["fid_std"]) and np.isnan(one_set["kid_std"])
    one_image = distance_row(cell, "x-net", real, [(pair[:1], [b"a"]), (pair[1:], [b"b"])])
    assert np.isfinite(one_image["fid_pooled"])
    assert all(np.isnan(one_image[key]) for key in ("fid", "fid_std", "kid", "kid_std"))


def test_a_set_that_stands_for_several_seeds_is_one_set(tmp_path):
    images = rng().integers(0, 9, (2, 4, 3, 5, 5), np.uint8)
    in_another_order = images[:, [1, 0, 2, 3]]
    sets = {0: images, 1: images + 1, 2: images.copy(), 3: in_another_order}
    path = tmp_path / "s.safetensors"
    write_tensors(path, {f"seed~{s}": values for s, values in sets.items()}, {})
    found = distinct_sets(path, [0, 1, 2, 3], ipc=2)
    assert list(found) == [0, 1]
    assert [len(set(digests)) for digests in found.values()] == [4, 4]
    # Of one image a class, the other order has another one.
    assert list(distinct_sets(path, [3, 0, 2], ipc=1)) == [3, 0]


# The diversity table.


def test_a_set_is_read_class_by_class_up_to_its_ipc(tmp_path):
    images = rng().integers(0, 9, (2, 4, 3, 5, 5), np.uint8)
    write_tensors(tmp_path / "s.safetensors", {"seed~0": images, "seed~7": images + 1}, {})
    found = list(class_sets(tmp_path / "s.safetensors", seed=7, ipc=3))
    assert np.array_equal(np.stack(found), images[:, :3] + 1)


def spaces_of(real):
    """Real images of two classes in turn by their features, with latents of noise."""
    labels = np.arange(len(real.features)) % 2
    latents = rng(1).normal(size=(len(labels), 1, 4, 4))
    return RealSpaces(RealPoints(latents, labels), RealPoints(real.features, labels))


def test_a_diversity_row_is_the_mean_over_classes(extractor):
    images = np.stack([pictures(3, seed=s) for s in (0, 1)])  # 2 classes, 3 images
    latents = rng().normal(size=(2, 3, 1, 4, 4)).astype(np.float32)
    real, labels = extractor.array(pictures(30, seed=2)), np.arange(30) % 2
    cell = {**CELL, "ipc": 3}
    deep, among_real = map(extractor.array, images), RealClasses(real, labels, 2)
    spaces = spaces_of(among_real)
    known = np.array([[True, False, False], [True, True, False]])
    row = diversity_row(
        cell, 5, images, latents, deep, known, among_real, spaces, 1e-3, most_pairs=3
    )
    assert (row["seed"], row["n_pairs"]) == (5, 3)
    assert row["ssim"] == pytest.approx(np.mean([ssim(k) for k in images]))
    assert row["log_det"] == pytest.approx(np.mean([log_det(k, 1e-3) for k in latents]))
    assert row["mean_magnitude"] == pytest.approx(np.mean(np.abs(latents)))
    assert row["recognised"] == pytest.approx(1 / 2)
    assert json.loads(json.dumps(row)) == row  # as a record has it
    classes = [real[labels == k] for k in (0, 1)]
    among = [
        manifold(own, radii(own, 2), extractor.array(images[k]), 2) for k, own in enumerate(classes)
    ]
    names = ("coverage", "precision", "recall", "density")
    assert [row[name] for name in names] == pytest.approx(np.mean(among, axis=0))
    near = {
        "latent": [spaces.latents.nearness(k, latents[k]) for k in (0, 1)],
        "feature": [spaces.features.nearness(k, extractor.array(images[k])) for k in (0, 1)],
    }
    for space, values in near.items():
        assert row[f"nearest_{space}"] == pytest.approx(np.mean(values))
        assert row[f"nearest_{space}_min"] == pytest.approx(np.mean([v.min() for v in values]))


def test_a_set_of_no_more_images_a_class_than_neighbours_has_no_recall(extractor):
    images = np.stack([pictures(2, seed=s) for s in (0, 1)])
    real = RealClasses(extractor.array(pictures(30, seed=2)), np.arange(30) % 2, 2)
    latents = rng().normal(size=(2, 2, 1, 4, 4))
    deep = map(extractor.array, images)
    cell = {**CELL, "ipc": 2}
    unknown = np.full((2, 1), np.nan)
    row = diversity_row(cell, 5, images, latents, deep, unknown, real, spaces_of(real), 1e-3, 3)
    assert np.isnan([row["recall"], row["recognised"]]).all()
    assert np.isfinite([row["coverage"], row["precision"], row["density"]]).all()


def test_a_diversity_row_takes_the_pairs_of_its_seed_dataset_and_class(extractor):
    images = np.stack([pictures(9, seed=s) for s in (0, 1)])
    latents = rng().normal(size=(2, 9, 1, 4, 4))
    real = RealClasses(extractor.array(pictures(8)), np.arange(8) % 2, 2)
    cell = {**CELL, "ipc": 9}
    deep = map(extractor.array, images)
    known, spaces = np.ones((2, 9), bool), spaces_of(real)
    row = diversity_row(cell, 5, images, latents, deep, known, real, spaces, 1e-3, most_pairs=4)
    drawn = [chosen_pairs(9, 4, generator("ssim-pairs", 5, "toy", k)) for k in (0, 1)]
    assert row["n_pairs"] == 4 and drawn[0] != drawn[1]
    assert row["ssim"] == pytest.approx(np.mean(list(map(mean_ssim, images, drawn))))
