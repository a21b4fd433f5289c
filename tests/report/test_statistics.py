"""What may be told apart: every statistic against a case worked by hand."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from boards import run_row
from lighthouse.config.grid import TABLE
from lighthouse.report.significance import COLUMNS, compare, significance_rows
from lighthouse.report.statistics import components, holm, paired, verdict
from lighthouse.report.trainings import trainings

NAN = float("nan")


# Variance components.


def test_means_that_are_equal_but_for_rounding_differ_by_zero():
    assert paired([0.1 + 0.2 - 0.3, -1.4, 1.4]).difference == 0


def test_the_components_are_those_worked_by_hand():
    # Two replicates of two sets of two students. Set means 11, 15 | 20, 28; replicates' 13 and 24.
    # Students: (2 + 8 + 2 + 8)/4 = 5. Sets: 2·(8 + 32)/2 = 40. Replicates: 4·121/2 = 242.
    values = [[[10, 12], [13, 17]], [[19, 21], [26, 30]]]
    found = components(values)
    assert found.students == pytest.approx(math.sqrt(5))
    assert found.sets == pytest.approx(math.sqrt((40 - 5) / 2))
    assert found.replicates == pytest.approx(math.sqrt((242 - 40) / 4))


def test_replicates_of_one_set_hold_the_spread_of_both():
    # Means 11 and 15: MS = 2·((11-13)² + (15-13)²)/1 = 16. Students: (2 + 8)/2 = 5.
    replicates, sets, students = components([[[10, 12]], [[13, 17]]])
    assert students == pytest.approx(math.sqrt(5))
    assert replicates == pytest.approx(math.sqrt((16 - 5) / 2))
    assert sets != sets


def test_what_the_source_below_explains_is_no_spread_of_its_own():
    found = components([[[10, 20]], [[11, 19]]])
    assert (found.replicates, found.students) == (0.0, pytest.approx(math.sqrt((50 + 32) / 2)))


def test_one_replicate_shows_sets_and_students_alone():
    replicates, sets, students = components([[[10, 12], [13, 17]]])
    assert replicates != replicates
    assert (sets, students) == (pytest.approx(math.sqrt((16 - 5) / 2)), pytest.approx(5**0.5))
    one_set = components([[[1, 2, 3]]])
    assert one_set.sets != one_set.sets
    assert one_set.students == pytest.approx(1)


@pytest.mark.parametrize("replicates", [[[[1]], [[2]], [[3]]], [[[1]]]])
def test_one_student_of_one_set_leaves_the_sources_mixed(replicates):
    assert all(value != value for value in components(replicates))


def test_one_student_a_set_leaves_replicates_to_be_told():
    # Set means are the values: replicates' 2 and 7; sets: (2 + 2)/2 = 2; replicates: 2·12.5 = 25.
    found = components([[[1], [3]], [[6], [8]]])
    assert found.replicates == pytest.approx(math.sqrt((25 - 2) / 2))
    assert found.sets != found.sets
    assert found.students != found.students


@pytest.mark.parametrize("uneven", [[[[1, 2]], [[3]]], [[[1], [2]], [[3]]]])
def test_uneven_replicates_are_refused(uneven):
    with pytest.raises(ValueError, match="all need as many"):
        components(uneven)


def test_the_components_find_what_was_put_in():
    rng = np.random.default_rng(0)
    values = rng.normal(80, 3, (4000, 1, 1)) + rng.normal(0, 2, (4000, 3, 1))
    values = values + rng.normal(0, 1, (4000, 3, 4))
    assert components(values.tolist()) == pytest.approx((3, 2, 1), rel=0.05)


# The paired test.


def test_a_paired_test_is_that_of_scipy():
    ours, theirs = [81.0, 84.5, 79.2, 83.3, 80.6], [78.0, 83.9, 78.8, 80.1, 79.9]
    result = paired([a - b for a, b in zip(ours, theirs, strict=True)])
    expected = ttest_rel(ours, theirs)
    low, high = expected.confidence_interval(0.95)
    assert result.p == pytest.approx(expected.pvalue)
    assert (result.ci_low, result.ci_high) == (pytest.approx(low), pytest.approx(high))
    assert result.n_pairs == 5


def test_a_paired_test_is_that_worked_by_hand():
    # Mean 2, s = 1, n = 3: t = 2√3, and with 2 degrees of freedom p = 1 - t/√(2 + t²).
    result = paired([1, 2, 3])
    t = 2 * math.sqrt(3)
    assert (result.difference, result.std_difference) == (2, 1)
    assert result.p == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert result.ci_high - 2 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-5)


def test_the_sign_of_a_difference_changes_its_interval_and_not_its_p():
    one, other = paired([1, 2, 4]), paired([-1, -2, -4])
    assert one.p == other.p
    assert (one.ci_low, one.ci_high) == (-other.ci_high, -other.ci_low)


@pytest.mark.parametrize("differences", [[], [3.0]])
def test_fewer_than_two_pairs_cannot_be_tested(differences):
    result = paired(differences)
    assert result.n_pairs == len(differences)
    assert result.p != result.p
    assert verdict(result.difference, result.p, 0.05) == "not tested"


def test_equal_accuracies_are_not_distinguishable():
    assert paired([0.0, 0.0, 0.0]).p == 1.0


def test_differences_without_variance_are_not_called_significant():
    # As the table of 6 digits gives them back: thirds of a percent, rounded.
    result = paired([86.6667 - 85.3333, 70.3333 - 69.0, 71.0 - 69.6667])
    assert result.difference == pytest.approx(1.3333, abs=1e-4)
    assert result.p != result.p
    assert verdict(result.difference, result.p, 0.05) == "not tested"


# Holm's correction.


def test_holm_is_that_worked_by_hand():
    # Sorted 0.005·4, 0.01·3, 0.03·2, 0.04·1; none may fall below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_stops_at_one_and_leaves_a_single_test_as_it_is():
    assert holm([0.5, 0.6, 0.7]) == [1.0, 1.0, 1.0]
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_what_was_not_tested_is_not_counted():
    corrected = holm([0.02, NAN, 0.03])
    assert corrected[0] == pytest.approx(0.04)
    assert corrected[1] != corrected[1]
    assert corrected[2] == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("difference", "p", "expected"),
    [
        (1.0, 0.05, "better"),
        (-1.0, 0.01, "worse"),
        (1.0, 0.051, "not distinguishable"),
        (5.0, NAN, "not tested"),
    ],
)
def test_a_verdict_is_by_level_and_sign(difference, p, expected):
    assert verdict(difference, p, 0.05) == expected


# Method against method.


def cell(method, ipc=1, variant=TABLE):
    return {"dataset": "toy", "method": method, "ipc": ipc, "variant": variant}


def runs_of(which, seeds, student="s", protocol="p"):
    """Trainings of a cell: accuracies by seed, one for each of its students."""
    keys = {**which, "student": student, "protocol": protocol}
    if seeds is None:
        return [run_row(keys)]
    return [
        run_row(keys, seed, k, value)
        for seed, values in seeds.items()
        for k, value in enumerate(values)
    ]


def by_method(rows):
    return {(row["method"], row["against"]): row for row in rows}


def test_a_replicate_counts_by_the_mean_of_its_students():
    found = trainings(runs_of(cell("a"), {0: [1, 3], 1: [5, 6]}) + runs_of(cell("b"), {0: [0, 0]}))
    assert next(iter(found.values())) == {
        (0, 0, 0): 1,
        (0, 0, 1): 3,
        (1, 1, 0): 5,
        (1, 1, 1): 6,
    }
    result = compare(found, cell("a"), cell("b"), "s", "p")
    assert (result.n_pairs, result.difference) == (1, 2)


def test_two_sets_of_one_replicate_are_no_two_pairs():
    runs = runs_of(cell("dit"), {0: [70], 5: [74], 1: [80], 6: [80]})
    runs += runs_of(cell("a"), {0: [71], 5: [79], 1: [82], 6: [84]})
    for run in runs:
        run["replicate"] = run["seed"] % 5
    (row,) = significance_rows(runs, [cell("dit"), cell("a")], "dit", [], 0.05)
    assert (row["n_pairs"], row["difference"], row["std_difference"]) == (2, 3, 0)


def test_students_that_only_one_side_has_do_not_enter():
    # By the first students 1, 2 and 3 points; the second ones of dit would make it -49 and worse.
    runs = runs_of(cell("dit"), {0: [70, 170], 1: [80, 180], 2: [60, 160]})
    runs += runs_of(cell("a"), {0: [71], 1: [82], 2: [63]})
    (row,) = significance_rows(runs, [cell("dit"), cell("a")], "dit", [], 0.05)
    assert (row["n_pairs"], row["difference"], row["std_difference"]) == (3, 2, 1)


def test_a_student_that_one_side_has_under_one_seed_alone_does_not_enter():
    runs = runs_of(cell("dit"), {0: [70, 74], 1: [80, 84]})
    runs += runs_of(cell("a"), {0: [71, 77], 1: [82]})
    (row,) = significance_rows(runs, [cell("dit"), cell("a")], "dit", [], 0.05)
    assert (row["n_pairs"], row["difference"]) == (2, ((1 + 3) / 2 + 2) / 2)


def test_pairs_are_of_one_seed_whatever_their_order():
    runs = runs_of(cell("dit"), {0: [70], 1: [80], 2: [60]})
    runs += runs_of(cell("a"), {2: [62], 0: [71], 1: [83]})
    (row,) = significance_rows(runs, [cell("dit"), cell("a")], "dit", [], 0.05)
    assert row["difference"] == pytest.approx((1 + 3 + 2) / 3)
    assert row["std_difference"] == pytest.approx(1)
    assert tuple(row) == COLUMNS


def test_seeds_that_only_one_side_has_are_no_pairs():
    runs = runs_of(cell("dit"), {0: [70], 1: [80], 2: [60]})
    runs += runs_of(cell("a"), {1: [81], 2: [63], 3: [10]})
    (row,) = significance_rows(runs, [cell("dit"), cell("a")], "dit", [], 0.05)
    assert (row["n_pairs"], row["difference"]) == (2, 2)


def test_every_method_meets_the_base_at_each_ipc_and_the_named_pairs_once():
    cells = [cell(method, ipc) for ipc in (1, 5) for method in ("dit", "a", "b")]
    cells += [cell("c", 5)]
    runs = [run for c in cells for run in runs_of(c, {0: [1], 1: [2]})]
    pairs = [["a", "b"], ["a", "dit"], ["b", "absent"]]
    rows = significance_rows(runs, cells, "dit", pairs, 0.05)
    assert [(row["ipc"], row["method"], row["against"]) for row in rows] == [
        (1, "a", "dit"),
        (1, "a", "b"),
        (1, "b", "dit"),
        (5, "a", "dit"),
        (5, "a", "b"),
        (5, "b", "dit"),
        (5, "c", "dit"),
    ]


def test_rows_of_a_sweep_do_not_enter():
    cells = [cell("dit"), cell("a")]
    runs = runs_of(cell("dit"), {0: [70], 1: [80]}) + runs_of(cell("a"), {0: [72], 1: [81]})
    alone = significance_rows(runs, cells, "dit", [], 0.05)
    swept = runs + runs_of(cell("a", variant="eta_dpp~30"), {0: [10], 1: [10]})
    swept += runs_of(cell("a"), {0: [1], 1: [2]}, student="of the sweep")
    assert significance_rows(swept, cells, "dit", [], 0.05) == alone


def test_a_family_is_one_dataset_student_and_protocol():
    values = {"dit": {0: [0], 1: [0], 2: [0]}, "a": {0: [1], 1: [2], 2: [3]}}
    values["b"] = {0: [1], 1: [2], 2: [4]}
    cells = [cell(method) for method in values]
    one = [run for c in cells for run in runs_of(c, values[c["method"]], student="one")]
    other = [run for c in cells[:2] for run in runs_of(c, values[c["method"]], student="other")]
    rows = significance_rows(one + other, cells, "dit", [], 0.05)
    assert [row["student"] for row in rows] == ["one", "one", "other"]
    assert rows[0]["p_holm"] == pytest.approx(2 * rows[0]["p"])
    assert rows[2]["p_holm"] == rows[2]["p"]


def test_each_ipc_is_corrected_by_itself():
    values = {"dit": {0: [0], 1: [0], 2: [0]}, "a": {0: [1], 1: [2], 2: [4]}}
    cells = [{**cell(method), "ipc": ipc} for method in values for ipc in (1, 5)]
    runs = [run for c in cells for run in runs_of(c, values[c["method"]])]
    rows = significance_rows(runs, cells, "dit", [], 0.05)
    assert [row["ipc"] for row in rows] == [1, 5]
    assert [row["p_holm"] for row in rows] == [row["p"] for row in rows]


def test_a_failed_side_is_missing_and_costs_the_others_nothing():
    runs = runs_of(cell("dit"), {0: [70], 1: [80], 2: [60]}) + runs_of(cell("a"), None)
    runs += runs_of(cell("b"), {0: [71], 1: [82], 2: [63]})
    cells = [cell("dit"), cell("a"), cell("b")]
    rows = by_method(significance_rows(runs, cells, "dit", [], 0.05))
    assert rows["a", "dit"]["verdict"] == "missing"
    assert rows["a", "dit"]["n_pairs"] == 0
    assert rows["b", "dit"]["p_holm"] == rows["b", "dit"]["p"]


def test_two_failed_sides_are_no_pair():
    runs = runs_of(cell("dit"), None) + runs_of(cell("a"), None)
    (row,) = significance_rows(runs, [cell("dit"), cell("a")], "dit", [], 0.05)
    assert (row["n_pairs"], row["verdict"]) == (0, "missing")


def test_a_study_without_a_base_compares_its_pairs_alone():
    runs = runs_of(cell("a"), {0: [70], 1: [80]}) + runs_of(cell("b"), {0: [71], 1: [80.5]})
    rows = significance_rows(runs, [cell("a"), cell("b")], None, [["b", "a"]], 0.05)
    assert list(by_method(rows)) == [("b", "a")]


def test_a_clear_difference_is_better_and_its_mirror_worse():
    runs = runs_of(cell("dit"), {s: [70 + s] for s in range(5)})
    runs += runs_of(cell("up"), {s: [80 + s + s % 2 / 10] for s in range(5)})
    runs += runs_of(cell("down"), {s: [60 + s + s % 2 / 10] for s in range(5)})
    cells = [cell("dit"), cell("up"), cell("down")]
    rows = by_method(significance_rows(runs, cells, "dit", [], 0.05))
    assert rows["up", "dit"]["verdict"] == "better"
    assert rows["down", "dit"]["verdict"] == "worse"
