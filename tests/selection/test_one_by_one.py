"""Selections that take images one by one: support points, and those a classifier is sure of."""

from itertools import combinations

import numpy as np
import pytest

from lighthouse.selection.confident import confident, surest
from lighthouse.selection.energy import chosen, support
from lighthouse.selection.pool import Pool


def energy(rows, sampled, real):
    """2 E‖X − Y‖ − E‖X − X'‖ by its formula, X the sampled rows, Y the real ones."""
    own = sampled[list(rows)]
    near = np.mean([np.linalg.norm(x - y) for x in own for y in real])
    apart = np.mean([np.linalg.norm(x - y) for x in own for y in own])
    return 2 * near - apart


def test_two_of_four_on_a_line_by_hand():
    # Real images at 0 and 4. {0, 4}: 2·2 − 2 = 2. {1, 3}: 2·2 − 1 = 3. {4, 9}: 2·(2+7)/2 − 2.5.
    sampled, real = np.array([[1.0], [0.0], [9.0], [4.0]]), np.array([[0.0], [4.0]])
    assert energy([1, 3], sampled, real) == 2.0
    assert chosen(sampled, real, 2).tolist() == [1, 3]


@pytest.mark.parametrize("seed", range(10))
def test_the_least_energy_of_all_choices_is_found_among_few(seed):
    rng = np.random.default_rng(seed)
    sampled, real = rng.standard_normal((8, 3)), rng.standard_normal((20, 3)) + 0.5
    best = min(combinations(range(8), 2), key=lambda rows: energy(rows, sampled, real))
    assert tuple(chosen(sampled, real, 2)) == best


def test_each_class_goes_by_its_own_real_images():
    sampled = np.array([[[0.0], [5.0]], [[0.0], [5.0]]])
    pool = Pool("toy", ["ant", "bee"], 1, sampled, [np.array([[4.0]]), np.array([[1.0]])])
    assert support(pool, {"factor": 2}).tolist() == [[1], [0]]
    with pytest.raises(ValueError, match="needs features"):
        support(Pool("toy", ["ant"], 1), {})


# Of three classes, images of class 1. Probabilities of the largest logit, sure to unsure:
# row 0 (class 1), row 3 (class 0), row 1 (class 1), row 2 (class 2).
LOGITS = np.array([[0, 9, 0], [0, 2, 0], [0, 0, 1], [5, 0, 0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("count", "kept"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 3]), (4, [0, 1, 3, 2])]
)
def test_the_right_ones_come_first_and_of_both_the_surest(count, kept):
    assert surest(LOGITS, 1, count).tolist() == kept


def test_where_all_are_wrong_the_surest_are_kept_and_ties_go_to_the_first():
    assert surest(LOGITS[[2, 3]], 1, 1).tolist() == [1]
    assert surest(LOGITS[[1, 1, 1]], 1, 2).tolist() == [0, 1]


def test_logits_whose_probabilities_are_1_in_float32_are_told_apart():
    assert surest(np.array([[20.0, 0.0], [30.0, 0.0]], dtype=np.float32), 0, 1).tolist() == [1]
    assert surest(np.array([[0.0, 2000.0], [-1.0, 2000.0]]), 1, 2).tolist() == [0, 1]


def test_the_label_of_a_class_is_its_place():
    pool = Pool("toy", ["ant", "bee", "cat"], 1, logits=np.stack([LOGITS] * 3))
    assert confident(pool, {"factor": 4}).tolist() == [[3], [0], [2]]
    with pytest.raises(ValueError, match="answers of a classifier"):
        confident(Pool("toy", ["ant"], 1), {})
