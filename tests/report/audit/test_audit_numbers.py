"""The audit's own formulas and rules of comparison, against cases reckoned by hand."""

import math

import numpy as np
import pytest

from lighthouse.report.audit.accuracy import components
from lighthouse.report.audit.claims import Claim, Within, key, named, slack
from lighthouse.report.audit.numbers import (
    deviation,
    holm,
    judgement,
    mean,
    of_shared_students,
    off,
    paired,
    shared,
)
from lighthouse.report.audit.ranges import log_det_bounds
from lighthouse.report.audit.rows import counted
from lighthouse.report.audit.sets import MOST, distinct, is_recounted
from lighthouse.runtime.files import write_arrays

NAN = float("nan")


def holds(found, expected, by=0.0):
    return Claim("t", "r", "c", found, expected, by).holds


def test_numbers_agree_within_two_units_of_the_sixth_digit():
    assert slack(87.88) == pytest.approx(2e-4)
    assert slack(0.5, 12.0) == pytest.approx(2e-4)
    assert slack(100.0) == pytest.approx(2e-3)
    assert slack(0.00123456) == pytest.approx(2e-8)
    assert slack(0.0, NAN, "a word") == 0.0
    assert holds(87.8801, 87.88, slack(87.88)) and not holds(87.8803, 87.88, slack(87.88))


def test_empty_fields_agree_with_each_other_alone():
    assert holds(NAN, NAN) and holds("", NAN) and holds(NAN, "")
    assert not holds(NAN, 0.0) and not holds(0.0, NAN) and not holds(NAN, Within(0, 1))


def test_words_and_bounds():
    assert holds("True", True) and not holds("missing", 1.0)
    assert holds(1, Within(0, 1)) and not holds(1.1, Within(0, 1)) and not holds("x", Within(0, 1))
    assert holds(1e9, Within(0, math.inf))


def test_a_claim_says_where_and_both_values():
    claim = Claim("t.csv", "method x", "p", 0.5, NAN)
    assert str(claim) == "t.csv, method x: p is 0.5, not empty"
    assert str(claim._replace(expected=Within(0, math.inf))).endswith("not at least 0")


def test_a_row_is_named_by_its_filled_columns():
    row = {"method": "x", "ipc": 5, "lambda": 0.0, "seed": NAN}
    assert named(row, ("method", "ipc", "lambda", "seed")) == "method x, ipc 5, lambda 0"
    assert key(row, ("ipc", "seed")) == key({"ipc": 5.0, "seed": ""}, ("ipc", "seed"))


def test_mean_and_deviation():
    assert (mean([1, 2, 6]), deviation([1, 2, 6])) == (3, pytest.approx(math.sqrt(7)))
    assert math.isnan(mean([])) and math.isnan(deviation([1.0]))


def test_components_by_hand():
    # Replicates of sets (1, 3), (5, 11) | (12, 14), (14, 16): set means 2, 8 | 13, 15.
    # Students: (2 + 18 + 2 + 2)/4 = 6. Sets: 2·(18 + 2)/2 = 20. Replicates 5 and 14: 4·40.5 = 162.
    values = [1.0, 3.0, 5.0, 11.0, 12.0, 14.0, 14.0, 16.0]
    places = [(r, 2 * r + s, k) for r in (0, 1) for s in (0, 1) for k in (0, 1)]
    found = components(dict(zip(places, values, strict=True)))
    assert found["std_students"][0] == pytest.approx(math.sqrt(6))
    assert found["std_sets"][0] == pytest.approx(math.sqrt(7))
    assert found["std_replicates"][0] == pytest.approx(math.sqrt((162 - 20) / 4))


def test_components_of_one_student_or_one_set():
    one_student = components({(0, 0, 0): 1.0, (1, 1, 0): 3.0})
    assert all(math.isnan(v) for v, _ in one_student.values())
    assert all(math.isnan(v) for v, _ in components({}).values())
    one_set = components({(0, 0, 0): 1.0, (0, 0, 1): 3.0})
    assert math.isnan(one_set["std_sets"][0]) and math.isnan(one_set["std_replicates"][0])
    assert one_set["std_students"][0] == pytest.approx(math.sqrt(2))
    # One set a replicate: 2·18 - 10, by two.
    both = components({(0, 0, 0): 1.0, (0, 0, 1): 3.0, (1, 1, 0): 5.0, (1, 1, 1): 11.0})
    assert both["std_replicates"][0] == pytest.approx(math.sqrt(13))
    assert math.isnan(both["std_sets"][0])


def test_a_component_near_zero_may_be_further_off_than_a_deviation():
    # Between and within are alike: their difference hangs on the last digits.
    runs = {(0, 0, 0): 61.0, (0, 0, 1): 63.0, (1, 1, 0): 61.0 + 2**0.5, (1, 1, 1): 63.0 + 2**0.5}
    value, by = components(runs)["std_replicates"]
    assert value < 0.01 < by


def test_a_paired_test_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, t = 2√3; p of two degrees of freedom is
    # 1 - t/√(t² + 2).
    test = paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    t = 2 * math.sqrt(3)
    assert (test["n_pairs"], test["difference"], test["std_difference"]) == (3, 2, 1)
    assert test["p"] == pytest.approx(1 - t / math.sqrt(t**2 + 2))
    assert test["ci_high"] - 2 == pytest.approx(4.302652729911275 / math.sqrt(3))


def test_differences_without_variance_are_not_tested():
    same = paired([1.0, 2.0], [1.0, 2.0])
    assert same["p"] == 1.0 and math.isnan(same["ci_low"])
    assert math.isnan(paired([2.0, 3.0], [1.0, 2.0])["p"])
    assert math.isnan(paired([2.0], [1.0])["p"])
    assert paired([], [])["n_pairs"] == 0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, NAN, 0.5])[::2] == [1.0, 1.0]
    assert math.isnan(holm([0.5, NAN])[1]) and holm([]) == []


def test_a_verdict_is_the_sign_of_what_is_sure():
    assert judgement(1.0, 0.05, 0.05) == "better"
    assert judgement(-1.0, 0.01, 0.05) == "worse"
    assert judgement(-1.0, 0.051, 0.05) == "not distinguishable"
    assert judgement(1.0, NAN, 0.05) == "not tested"


def test_comparisons_are_of_the_students_that_both_have():
    first = {(0, 0, 0): 1.0, (0, 0, 1): 5.0, (1, 1, 0): 2.0, (2, 2, 0): 9.0}
    second = {(0, 0, 0): 3.0, (1, 1, 0): 4.0, (1, 1, 1): 8.0}
    assert shared(first, second) == ([1.0, 2.0], [3.0, 4.0])
    kept = of_shared_students([first, {}, second])
    left = {(0, 0, 0): 1.0, (1, 1, 0): 2.0, (2, 2, 0): 9.0}
    assert kept == [left, {}, {(0, 0, 0): 3.0, (1, 1, 0): 4.0}]


def test_two_sets_of_a_replicate_are_one_pair():
    first = {(0, 0, 0): 1.0, (0, 5, 0): 3.0, (1, 1, 0): 4.0, (1, 6, 0): 6.0}
    assert shared(first, dict.fromkeys(first, 1.0)) == ([2.0, 5.0], [1.0, 1.0])


def test_bounds_of_log_det_are_reached():
    low, high = log_det_bounds(3, 0.1)
    apart, alike = np.eye(3), np.ones((3, 3))
    assert np.log(np.linalg.det(apart + 0.1 * np.eye(3))) == pytest.approx(high)
    assert np.log(np.linalg.det(alike + 0.1 * np.eye(3))) == pytest.approx(low)


def test_distinct_images_by_hand(tmp_path):
    # Two classes of two images. The second set is the first in another order, the third has
    # one image of the first and three of its own.
    a, b, c, d, e, f, g = (np.full((3, 2, 2), value, np.uint8) for value in range(7))
    sets = [[[a, b], [c, d]], [[b, a], [c, d]], [[a, e], [f, g]]]
    arrays = {f"seed~{seed}": np.array(one) for seed, one in enumerate(sets)}
    write_arrays(tmp_path / "s.safetensors", arrays, {})
    assert distinct(tmp_path / "s.safetensors", [0, 1, 2], 2) == {"n_sets": 2, "n_synthetic": 7}
    assert distinct(tmp_path / "s.safetensors", [0, 1, 2], 1) == {"n_sets": 3, "n_synthetic": 4}


def test_a_large_file_is_not_counted(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MOST + 1)
    assert not is_recounted(tmp_path / "large") and not is_recounted(tmp_path / "none")


def test_a_missing_row_stands_for_the_rows_that_it_names():
    wanted = [{"method": m, "seed": s} for m in ("a", "b") for s in (0, 1)]
    lost = {"method": "b", "seed": NAN, "status": "missing"}
    columns = (("method", "seed"), wanted, ("method",))

    def off(*rows):
        claims = counted("t", rows, *columns)
        return [(c.row, c.found) for c in claims if not c.holds]

    assert off(*wanted[:2], lost) == []
    assert off(*wanted, lost) == [("method b, seed 0", 2), ("method b, seed 1", 2)]
    assert off(*wanted, {**lost, "method": "c"}) == [("method c", 1)]


@pytest.mark.parametrize("values", [(58.8, 44.2, 39.6), (0.1, 0.2, 0.7), (86.2, 86.4, 86.0)])
def test_sets_of_equal_means_have_no_deviation_between_them(values):
    runs = {(0, 0, i): value for i, value in enumerate(values)}
    runs |= {(1, 1, i): value for i, value in enumerate(sorted(values))}
    assert components(runs)["std_replicates"][0] == 0


def test_a_test_of_rounded_accuracies_is_off_by_no_more_than_is_reckoned():
    # Of 411 test images, as a table keeps them (6 digits); three pairs, some that hardly differ.
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(300):
        first, second = (100 * rng.integers(200, 300, 3) / 411 for _ in range(2))
        second = first + rng.normal(0, 0.05, 3) if rng.random() < 0.3 else second
        rounded = [[float(f"{value:.6g}") for value in values] for values in (first, second)]
        exact, read = paired(first, second), paired(*rounded)
        by = off(read, [*rounded[0], *rounded[1]])
        for name, most in by.items():
            assert abs(exact[name] - read[name]) <= most
            found += abs(exact[name] - read[name]) > slack(read[name])
    assert found  # more than the rounding of p itself
    assert off(paired([1.0], [2.0]), [1.0, 2.0]) == {}
