"""Picks of a pool: against cases by hand, and against every subset there is."""

from itertools import combinations

import numpy as np
import pytest

from lighthouse.metrics.setutility import cosines, log_det
from lighthouse.metrics.subsets import (
    best_coverage,
    best_log_det,
    greedy_coverage,
    greedy_log_det,
    picks,
    random_subsets,
    swapped_coverage,
    swapped_log_det,
)
from lighthouse.runtime.rng import generator

EPSILON = 1e-3


def rng(seed=0):
    return np.random.default_rng(seed)


def at_angles(*degrees):
    """Unit latents in a plane: cosines are those of the angles between them."""
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def table(*columns):
    """Which real image (row) each pool image (column, a string of 0 and 1) lights."""
    return np.array([[c == "1" for c in column] for column in columns]).T


def volume(latents, chosen):
    return log_det(latents[np.array(chosen)], EPSILON)


def all_subsets(size, n):
    return np.array(list(combinations(range(size), n)))


# Picks by log det.


def test_the_greedy_set_by_volume_is_the_one_by_hand():
    # First a tie: image 0. Then the one at a right angle to it, not the one opposite.
    assert greedy_log_det(cosines(at_angles(0, 180, 10, 85)), 2, EPSILON).tolist() == [0, 3]


def test_each_greedy_pick_adds_most_volume_of_all_that_are_left():
    latents = rng().normal(size=(12, 6))
    chosen = greedy_log_det(cosines(latents), 5, EPSILON).tolist()
    for step in range(1, 5):
        left = [i for i in range(12) if i not in chosen[:step]]
        gains = [volume(latents, [*chosen[:step], i]) for i in left]
        assert left[int(np.argmax(gains))] == chosen[step]


def test_greedy_picks_differ_even_where_the_pool_is_one_image():
    assert sorted(greedy_log_det(cosines(np.ones((4, 3))), 4, EPSILON)) == [0, 1, 2, 3]


def test_the_best_of_all_subsets_has_the_largest_volume():
    latents = rng(1).normal(size=(8, 5))
    subsets = all_subsets(8, 3)
    best = best_log_det(cosines(latents), subsets, EPSILON)
    assert volume(latents, best) == pytest.approx(max(volume(latents, s) for s in subsets))


def test_the_best_subset_does_not_depend_on_how_many_are_taken_at_once(monkeypatch):
    latents, subsets = rng(1).normal(size=(8, 5)), all_subsets(8, 3)
    whole = best_log_det(cosines(latents), subsets, EPSILON)
    monkeypatch.setattr("lighthouse.metrics.subsets.BLOCK", 5)
    assert best_log_det(cosines(latents), subsets, EPSILON).tolist() == whole.tolist()


def test_swaps_lead_from_a_poor_set_to_the_best_in_a_plane():
    kernel = cosines(at_angles(0, 5, 10, 95))
    assert sorted(swapped_log_det(kernel, np.array([0, 1]), EPSILON)) == [1, 3]


def test_after_swaps_no_single_swap_gains_and_nothing_is_lost():
    latents = rng(2).normal(size=(14, 6))
    kernel = cosines(latents)
    start = np.array([0, 1, 2, 3])
    chosen = swapped_log_det(kernel, start, EPSILON).tolist()
    assert volume(latents, chosen) > volume(latents, start)
    assert len(set(chosen)) == 4
    for i in range(4):
        for j in set(range(14)) - set(chosen):
            swapped = [*chosen[:i], j, *chosen[i + 1 :]]
            assert volume(latents, swapped) <= volume(latents, chosen) + 1e-9


def test_swaps_start_from_what_they_are_given_and_leave_it_alone():
    start = np.array([0, 1])
    swapped_log_det(cosines(at_angles(0, 5, 95)), start, EPSILON)
    swapped_coverage(table("100", "100", "011"), start)
    assert start.tolist() == [0, 1]


# Picks by coverage.


def test_the_greedy_set_by_coverage_is_the_one_by_hand():
    # The widest first, although the other two would light all together.
    lit = table("111000", "000111", "011110")
    assert greedy_coverage(lit, 2).tolist() == [2, 0]
    lit = table("110000", "111100", "000011")
    assert greedy_coverage(lit, 2).tolist() == [1, 2]


def test_a_greedy_set_is_filled_up_where_nothing_is_left_to_light():
    assert greedy_coverage(table("11", "10", "01"), 3).tolist() == [0, 1, 2]


def test_swaps_mend_what_the_greedy_pick_by_coverage_got_wrong():
    lit = table("111000", "000111", "011110")
    assert sorted(swapped_coverage(lit, np.array([2, 0]))) == [0, 1]


def test_swaps_stop_where_none_lights_more():
    lit = rng(3).random((30, 10)) < 0.2
    chosen = swapped_coverage(lit, np.array([0, 1, 2]))
    reached = lit[:, chosen].any(1).sum()
    for i in range(3):
        for j in set(range(10)) - set(chosen.tolist()):
            assert lit[:, [*np.delete(chosen, i), j]].any(1).sum() <= reached


def test_the_best_of_all_subsets_lights_most():
    lit = table("111000", "000111", "011110")
    assert best_coverage(lit, all_subsets(3, 2)).tolist() == [0, 1]


def test_a_set_that_is_the_whole_pool_has_nothing_to_swap():
    everything = np.arange(3)
    assert swapped_coverage(table("1", "0", "0"), everything).tolist() == [0, 1, 2]
    assert swapped_log_det(np.eye(3), everything, EPSILON).tolist() == [0, 1, 2]


def test_random_subsets_draw_without_replacement_and_are_the_same_again():
    subsets = random_subsets(10, 4, 200, generator("s", "toy", 0))
    assert subsets.shape == (200, 4)
    assert all(len(set(subset)) == 4 for subset in subsets.tolist())
    assert np.bincount(subsets.ravel(), minlength=10).min() > 40  # 80 are expected
    assert np.array_equal(subsets, random_subsets(10, 4, 200, generator("s", "toy", 0)))
    assert not np.array_equal(subsets, random_subsets(10, 4, 200, generator("s", "toy", 1)))


def test_more_search_never_ends_with_less_utility():
    latents, lit = rng(4).normal(size=(20, 6)), rng(5).random((50, 20)) < 0.1
    chosen = picks(cosines(latents), lit, 5, all_subsets(20, 5)[:50], EPSILON)
    assert len(chosen) == 6
    volumes = {kind: volume(latents, chosen[kind, "log_det"]) for kind, _ in chosen}
    lights = {kind: lit[:, chosen[kind, "coverage"]].any(1).sum() for kind, _ in chosen}
    for utility in (volumes, lights):
        assert utility["greedy and swaps"] >= utility["greedy subset"]
