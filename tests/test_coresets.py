"""Coresets: real images of each class, chosen as the rule's name says."""

import ast
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from lighthouse import coresets
from lighthouse.coresets import Pool, farthest, herd, lowest_energy, start_latents
from lighthouse.datasets.latents import LATENTS, MEANS, Latents
from lighthouse.guidance.support import energy
from lighthouse.parts.coresets import CORESETS as DECLARED
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import write_arrays
from lighthouse.runtime.named import load

CORESETS = {name: load(each.choose) for name, each in DECLARED.items() if not each.composes}
BY_FEATURES = [name for name, coreset in DECLARED.items() if coreset.by_features]
NESTED = [name for name, coreset in DECLARED.items() if coreset.nested]
NAMES = ["ant", "bee", "cat"]
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(3), 10))
#: What `random` drew of these under seeds 0 and 1 when it was first written.
FROZEN = [
    [[0, 20, 9, 5], [16, 22, 7, 1], [6, 2, 27, 26]],
    [[25, 14, 28, 20], [1, 19, 4, 16], [24, 11, 18, 6]],
]


def pool(rows=None, seed=1):
    """Three classes of ten images, with features of those at ``rows``, or of all."""
    rows = np.arange(len(LABELS)) if rows is None else np.array(rows)
    rng = np.random.default_rng(seed)
    features, latents = rng.standard_normal((2, len(LABELS), 6)).astype(np.float32)
    views = np.stack([latents, np.full_like(latents, 1e6)], axis=1).reshape(-1, 2, 1, 2, 3)
    return Pool("toy", NAMES, LABELS, features[rows], rows, views)


@pytest.mark.parametrize("name", CORESETS)
def test_a_coreset_holds_images_of_each_class_once(name):
    chosen = CORESETS[name](pool(), 4, [0, 7])
    assert chosen.shape == (2, 3, 4)
    assert chosen.dtype == np.int64
    assert (LABELS[chosen] == np.arange(3)[:, None]).all()
    assert all(len(np.unique(one)) == one.size for one in chosen)


@pytest.mark.parametrize("name", NESTED)
def test_the_smaller_coreset_begins_the_larger(name):
    small, large = (CORESETS[name](pool(), ipc, [0, 1]) for ipc in (3, 7))
    assert np.array_equal(small, large[..., :3])


@pytest.mark.parametrize("name", CORESETS)
def test_a_whole_class_is_chosen_at_its_own_size(name):
    chosen = CORESETS[name](pool(), 10, [0])
    assert sorted(chosen.ravel()) == list(range(30))


@pytest.mark.parametrize("name", CORESETS)
def test_a_class_with_too_few_images_is_named(name):
    with pytest.raises(DataError, match=r"class 'ant' has 10 images.*, fewer than IPC 11"):
        CORESETS[name](pool(), 11, [0])


def test_random_draws_are_frozen():
    chosen = CORESETS["random"](Pool("toy", NAMES, LABELS), 4, [0, 1])
    assert chosen.tolist() == FROZEN


def test_a_random_coreset_follows_its_seed():
    one, same, other = CORESETS["random"](pool(), 5, [0, 0, 1])
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", sorted({*BY_FEATURES} & {*NESTED}))
def test_a_greedy_coreset_by_features_is_the_same_under_each_seed(name):
    one, other = CORESETS[name](pool(), 5, [0, 1])
    assert np.array_equal(one, other)


@pytest.mark.parametrize("name", BY_FEATURES)
def test_only_images_with_features_are_chosen(name):
    rows = np.sort(np.concatenate([np.flatnonzero(label == LABELS)[3:] for label in range(3)]))
    chosen = CORESETS[name](pool(rows), 7, [0])
    assert sorted(chosen.ravel()) == rows.tolist()
    with pytest.raises(DataError, match="7 images with features, fewer than IPC 8"):
        CORESETS[name](pool(rows), 8, [0])


def test_the_coresets_that_need_features_are_those_that_are_said_to():
    bare = Pool("toy", NAMES, LABELS, latents=pool().latents)
    for name, choose in CORESETS.items():
        if name in BY_FEATURES:
            with pytest.raises(ValueError, match="needs the features"):
                choose(bare, 2, [0])
        else:
            choose(bare, 2, [0])


def test_herding_of_points_on_a_line_by_hand():
    # Their mean is 4: 5 is nearest; 5 + 2 is nearest to 8, with 1 to 12, with 12 to 16.
    features = np.array([[0.0], [1.0], [2.0], [5.0], [12.0]])
    assert herd(features, 4).tolist() == [3, 2, 1, 4]


@pytest.mark.parametrize("seed", range(3))
def test_each_pick_of_herding_is_the_best_next_one(seed):
    features = np.random.default_rng(seed).standard_normal((12, 5))
    picked, mean = herd(features, 12).tolist(), features.mean(0)
    for count in range(12):
        left = [row for row in range(12) if row not in picked[:count]]
        distances = [
            np.linalg.norm(features[[*picked[:count], row]].mean(0) - mean) for row in left
        ]
        assert left[int(np.argmin(distances))] == picked[count]


def test_the_mean_of_a_herd_is_nearer_than_that_of_a_random_set():
    features = np.random.default_rng(0).standard_normal((200, 16))
    rng, mean = np.random.default_rng(1), features.mean(0)
    herded = np.linalg.norm(features[herd(features, 10)].mean(0) - mean)
    drawn = [
        np.linalg.norm(features[rng.choice(200, 10, replace=False)].mean(0) - mean)
        for _ in range(100)
    ]
    assert herded < 0.5 * min(drawn)


def test_herding_with_vectors_of_one_length_is_wellings_rule():
    features = np.random.default_rng(3).standard_normal((40, 8))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    mean = features.mean(0)
    w, free, picked = mean.copy(), np.ones(40, bool), []
    for _ in range(8):
        row = int(np.argmax(np.where(free, features @ w, -np.inf)))
        picked.append(row)
        free[row] = False
        w += mean - features[row]
    assert herd(features, 8).tolist() == picked


def test_k_centre_of_points_on_a_line_by_hand():
    # 5 is nearest to the mean, 4; 12 is farthest from it; 0 from both; then 2, not 1.
    features = np.array([[0.0], [1.0], [2.0], [5.0], [12.0]])
    assert farthest(features, 4).tolist() == [3, 4, 0, 2]


@pytest.mark.parametrize("seed", range(3))
def test_k_centre_covers_at_most_twice_as_badly_as_the_best_set(seed):
    """Gonzalez' bound, against all sets of three."""
    features = np.random.default_rng(seed).standard_normal((14, 2))
    distances = np.linalg.norm(features[:, None] - features, axis=-1)

    def radius(rows):
        return distances[:, list(rows)].min(1).max()

    best = min(radius(rows) for rows in combinations(range(14), 3))
    assert radius(farthest(features, 3)) <= 2 * best + 1e-12


def test_the_coreset_of_least_energy_of_points_on_a_line_by_hand():
    # Of 0, 1, 5, 6 two: a pair i, j has 4 (p_i + p_j) - 2 d_ij, of mean distances p 3, 2.5, 2.5, 3:
    # 1 and 5 have 20 - 8, 0 and 5 have 22 - 10, 0 and 6 have 24 - 12, but 0 and 1 have 22 - 2.
    distances = np.abs(np.subtract.outer([0.0, 1, 5, 6], [0.0, 1, 5, 6]))
    chosen = lowest_energy(distances, [0, 1])
    assert len({*chosen.tolist()} & {0, 1}) == 1
    assert lowest_energy(distances, [3]) in (1, 2)  # alone: a median


@pytest.mark.parametrize("apart", [0.0, np.nan])
def test_no_swap_is_made_among_equal_points_nor_by_what_is_no_number(apart):
    assert lowest_energy(np.full((5, 5), apart), [4, 1]).tolist() == [4, 1]


@pytest.mark.parametrize("name", CORESETS)
def test_the_images_of_a_class_are_different_ones_where_all_are_equal(name):
    alike = replace(pool(), features=np.ones((30, 6)), latents=np.ones((30, 2, 1, 2, 3)))
    for chosen in CORESETS[name](alike, 10, [0]).reshape(3, 10):
        assert len(set(chosen.tolist())) == 10


@pytest.mark.parametrize("seed", range(3))
def test_no_swap_lowers_the_energy_further(seed):
    points = torch.from_numpy(np.random.default_rng(seed).standard_normal((14, 3)))
    distances = torch.cdist(points, points).numpy()
    start = points.norm(dim=1).argsort()[-4:].tolist()
    chosen = lowest_energy(distances, start).tolist()

    def of(rows):
        return energy(points[list(rows)], points).item()

    assert of(chosen) < of(start)
    for leaves in chosen:
        for enters in set(range(14)) - set(chosen):
            swapped = [enters if row == leaves else row for row in chosen]
            assert of(swapped) >= of(chosen) - 1e-12


def test_a_coreset_of_least_energy_goes_by_first_views_and_is_the_best_of_its_draws(monkeypatch):
    wide = pool()

    def energies(draws, seeds):
        monkeypatch.setattr(coresets, "DRAWS", draws)
        chosen = CORESETS["support"](wide, 4, seeds)
        latents = torch.from_numpy(wide.latents[:, 0].reshape(30, -1)).double()
        return np.array(
            [[energy(latents[s[k]], latents[k == LABELS]) for k in range(3)] for s in chosen]
        ), chosen

    once, one = energies(1, range(6))
    often, _ = energies(10, range(6))
    assert (often <= once + 1e-12).all()
    assert (often < once - 1e-6).any()
    assert len(np.unique(one, axis=0)) > 1
    for label, members in enumerate(np.flatnonzero(k == LABELS) for k in range(3)):
        latents = wide.latents[members, 0].reshape(10, -1).astype(np.float64)
        distances = np.linalg.norm(latents[:, None] - latents, axis=-1)
        least = min(coresets.subset_energy(distances, [*c]) for c in combinations(range(10), 4))
        assert often[:, label].min() == pytest.approx(least)


def test_the_latents_that_sets_start_at_are_those_of_the_coreset(tmp_path):
    wide = pool()
    np.save(tmp_path / LATENTS, wide.latents)
    means = np.zeros((3, 1, 2, 3), np.float32)
    arrays = {"labels": LABELS, "class_means": means}
    write_arrays(tmp_path / MEANS, arrays, {"classes": NAMES})
    for name in ("random", "support"):
        args = Latents(tmp_path), CORESETS[name], "toy", 4, [0, 7]
        starts = start_latents(*args, [0, 1, 2])
        assert np.array_equal(starts, wide.latents[CORESETS[name](wide, 4, [0, 7]), 0])
        # Of some classes the same.
        assert np.array_equal(start_latents(*args, [2, 0]), starts[:, [2, 0]])


@pytest.mark.parametrize("pick", [herd, farthest])
def test_images_with_equal_features_are_still_picked_once(pick):
    assert sorted(pick(np.ones((5, 3)), 5)) == list(range(5))


def test_the_names_of_coresets_are_read_without_torch():
    """Configs are checked with them, in a process that should start fast."""
    library = Path(coresets.__file__).parents[1]
    code = "import sys, lighthouse.coresets; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(library)}, capture_output=True
    )
    assert ast.literal_eval(done.stdout.decode()) is False
