"""Subgroup selection: one of several sets of each class, by their centres."""

from itertools import product

import numpy as np
import pytest

from lighthouse.selection.pool import Pool
from lighthouse.selection.subgroup import centre, choose_groups, subgroup

OPTIONS = {"groups": 3, "nearness": 0.4, "spread": 0.9, "rounds": 5}


def units(*degrees):
    """Directions in the plane, (n, 2)."""
    turned = np.deg2rad(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=-1)


def objective(chosen, centres, real, nearness, spread):
    """The formula, term by term."""

    def d(a, b):
        return 1 - float(a @ b)

    picked = [centres[i][g] for i, g in enumerate(chosen)]
    near = sum(-np.log(d(c, r)) for c, r in zip(picked, real, strict=True))
    pairs = [(i, j) for i in range(len(picked)) for j in range(i)]
    return nearness * near + spread * sum(np.log(d(picked[i], picked[j])) for i, j in pairs)


def test_a_centre_is_the_direction_of_the_mean_of_directions():
    # (3, 0) and (0, 4) count alike: half-way between the axes.
    found = centre(np.array([[3.0, 0.0], [0.0, 4.0]], dtype=np.float32))
    assert np.allclose(found, [0.5**0.5, 0.5**0.5])


def test_without_spread_each_class_has_the_set_nearest_to_its_real_images():
    centres = np.stack([units(0, 30, 50), units(80, 100, 60)])
    real = units(28, 78)
    assert choose_groups(centres, real, 0.4, 0.0, 5).tolist() == [1, 0]
    assert choose_groups(centres, real, 0.4, 0.9, 0).tolist() == [1, 0]  # where it begins


def test_two_classes_by_hand():
    # Both real centres at 0°, sets at 10° or 12° and at 9° or -10.5°. 0.4 · -log d from 0°: 1.675,
    # 1.529; 1.759, 1.636. 0.9 · log d of 1°, 3°, 20.5° and 22.5°: -7.911, -5.934, -2.483, -2.318.
    centres, real = np.stack([units(10, 12), units(9, -10.5)]), units(0, 0)
    sums = {(0, 0): -4.477, (1, 0): -2.646, (0, 1): 0.828, (1, 1): 0.847}
    for chosen, value in sums.items():
        assert objective(chosen, centres, real, 0.4, 0.9) == pytest.approx(value, abs=2e-3)
    assert choose_groups(centres, real, 0.4, 0.0, 5).tolist() == [0, 0]
    assert choose_groups(centres, real, 0.4, 0.9, 5).tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(20))
def test_no_class_alone_can_better_the_choice_and_it_is_no_worse_than_the_start(seed):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((4, 3, 5))
    centres /= np.linalg.norm(centres, axis=-1, keepdims=True)
    real = np.stack([centre(rng.standard_normal((6, 5))) for _ in range(4)])
    start = choose_groups(centres, real, 0.4, 0.9, 0)
    found = choose_groups(centres, real, 0.4, 0.9, 100)
    value = objective(found, centres, real, 0.4, 0.9)
    assert value >= objective(start, centres, real, 0.4, 0.9) - 1e-12
    for label, other in product(range(4), range(3)):
        moved = [*found]
        moved[label] = other
        assert objective(moved, centres, real, 0.4, 0.9) <= value + 1e-9


def test_the_best_of_all_is_found_where_one_round_leads_there():
    centres = np.stack([units(0, 40, 80), units(10, 100, 130), units(15, 190, 250)])
    real = units(20, 60, 200)
    every = list(product(range(3), repeat=3))
    best = max(every, key=lambda chosen: objective(chosen, centres, real, 0.4, 0.9))
    assert tuple(choose_groups(centres, real, 0.4, 0.9, 5)) == best


def test_a_centre_equal_to_the_real_one_has_a_finite_worth():
    # Both begin at 0°, where neither distance has a logarithm; the first class leaves.
    centres = np.stack([units(0, 40), units(0, 200)])
    assert choose_groups(centres, units(0, 0), 0.4, 0.9, 5).tolist() == [1, 0]


def test_whole_sets_are_kept():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((2, 6, 4)).astype(np.float32)
    real = [features[0, 4:6], features[1, :2]]  # of the last set of one class, the first of another
    found = subgroup(Pool("toy", ["ant", "bee"], 2, features, real), {**OPTIONS, "spread": 0.0})
    assert found.tolist() == [[4, 5], [0, 1]]


def test_what_other_classes_have_decides():
    """The class alone takes one set, beside another class another one."""
    pairs = np.repeat(np.stack([units(10, 90), units(9, -10.5)]), 2, axis=1)
    real = [units(0), units(0)]
    both = subgroup(Pool("toy", ["ant", "bee"], 2, pairs, real), OPTIONS)
    alone = subgroup(Pool("toy", ["bee"], 2, pairs[1:], real[1:]), OPTIONS)
    assert (both[1].tolist(), alone[0].tolist()) == ([2, 3], [0, 1])


def test_without_features_nothing_is_chosen():
    with pytest.raises(ValueError, match="needs features"):
        subgroup(Pool("toy", ["ant"], 2), OPTIONS)
