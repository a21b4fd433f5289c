"""The ablation: each row against the plain one, by hand."""

import pytest

from boards import NAN, spec
from lighthouse.report.ablation import ablation_rows, columns


def ablation_row(method, **factors):
    given = {"coupling": "iid", **factors}
    own = {name: given.pop(name, "no") for name in ("rsm", "dpp", "mean")}
    given.setdefault("plain", "yes" not in own.values())
    cell = {k: v for k, v in spec(method, 5).items() if k != "label"}
    return {**cell, "factors": own, **given}


def trained(method, by_seed, student_seed=0, student="s"):
    return [
        {
            **spec(method, 5),
            "student": student,
            "protocol": "p",
            "replicate": seed,
            "seed": seed,
            "student_seed": student_seed,
            "top1_last": value,
            "status": "measured" if value == value else "missing",
        }
        for seed, value in by_seed.items()
    ]


ABLATION = [
    ablation_row("dit"),
    ablation_row("control"),
    ablation_row("rsm", rsm="yes"),
    ablation_row("cgs", dpp="yes", mean="yes", coupling="joint"),
    ablation_row("broken", dpp="yes", coupling="sequential"),
]
TRAININGS = [
    *trained("dit", {0: 70.0, 1: 72.0, 2: 74.0}),
    *trained("control", {0: 70.5, 1: 72.0, 2: 73.5}),
    *trained("rsm", {0: 71.0, 1: 74.0, 2: 77.0}),
    *trained("cgs", {0: 80.0, 1: 82.1, 2: 84.2}),
    *trained("broken", {NAN: NAN}),
]


def ablation(runs=TRAININGS, rows=ABLATION, students=("s",)):
    diversity = [
        {
            **spec("rsm", 5),
            "seed": s,
            "log_det": -s,
            "coverage": 0.5,
            "precision": 0.7,
            "recall": NAN,
            "density": 0.9 + s / 10,
            "nearest_latent": 0.5 + s,
            "nearest_feature": NAN,
            "ssim": 0.1,
            "status": "measured",
        }
        for s in (1, 2)
    ]
    return ablation_rows(runs, diversity, rows, students, 0.05)


def test_the_ablation_compares_each_row_with_the_first_that_has_no_factor():
    found = {row["method"]: row for row in ablation()}
    assert found["dit"]["verdict"] == "reference"
    assert found["dit"]["difference"] != found["dit"]["difference"]
    assert found["control"]["difference"] == pytest.approx(0)
    assert found["rsm"]["difference"] == pytest.approx(2)
    assert found["rsm"]["top1_std"] == pytest.approx(3)
    assert (found["rsm"]["log_det"], found["rsm"]["ssim"]) == (-1.5, pytest.approx(0.1))
    assert (found["rsm"]["precision"], found["rsm"]["density"]) == (0.7, pytest.approx(1.05))
    assert found["rsm"]["nearest_latent"] == pytest.approx(2)
    assert all(found["rsm"][name] != found["rsm"][name] for name in ("recall", "nearest_feature"))
    assert found["cgs"]["verdict"] == "better"
    assert all(tuple(row) == columns(ABLATION) for row in found.values())


def test_the_ablation_is_a_family_of_its_own_without_what_failed():
    found = {row["method"]: row for row in ablation()}
    # Differences 1, 2, 3: mean 2, s 1, so t = 2√3 as in the statistics' own test.
    p = 1 - 12**0.5 / 14**0.5
    assert found["rsm"]["p_holm"] == pytest.approx(2 * p)
    assert found["broken"]["verdict"] == "missing"
    assert found["broken"]["status"] == "missing"


def test_the_ablation_keeps_to_its_students():
    runs = TRAININGS + trained("dit", {0: 1.0, 1: 2.0}, student="of the main table")
    assert {row["student"] for row in ablation(runs)} == {"s"}


def test_an_ablation_without_a_plain_row_compares_nothing():
    assert {row["verdict"] for row in ablation(rows=ABLATION[2:4])} == {""}


def test_rows_with_unequally_many_students_compare_by_those_that_all_have():
    # A second student of dit alone, as the main table trains it: 30 points below the first.
    runs = TRAININGS + trained("dit", {0: 40.0, 1: 42.0, 2: 44.0}, student_seed=1)
    found, alone = ({row["method"]: row for row in ablation(r)} for r in (runs, TRAININGS))
    assert found["dit"]["top1_mean"] == pytest.approx(72)
    assert found["dit"]["top1_std"] == pytest.approx(2)
    assert found["rsm"]["difference"] == pytest.approx(2)
    assert {row["n_students"] for row in found.values() if row["status"] == "measured"} == {1}
    assert {row["n_seeds"] for row in found.values() if row["status"] == "measured"} == {3}
    assert repr(found) == repr(alone)


def test_rows_that_all_have_two_students_keep_both():
    second = {"dit": {0: 76.0, 1: 76.0}, "rsm": {0: 77.0, 1: 80.0}}
    first = {"dit": {0: 70.0, 1: 72.0}, "rsm": {0: 71.0, 1: 74.0}}
    runs = [run for m in first for run in trained(m, first[m]) + trained(m, second[m], 1)]
    found = {row["method"]: row for row in ablation(runs, [ABLATION[0], ABLATION[2]])}
    assert (found["dit"]["n_seeds"], found["dit"]["n_students"]) == (2, 2)
    assert found["dit"]["top1_mean"] == pytest.approx((70 + 72 + 76 + 76) / 4)
    assert found["rsm"]["difference"] == pytest.approx(((1 + 1) / 2 + (2 + 4) / 2) / 2)


def test_a_row_that_failed_says_nothing_of_students():
    broken = {row["method"]: row for row in ablation()}["broken"]
    assert broken["n_students"] != broken["n_students"]
    assert broken["n_seeds"] != broken["n_seeds"]


def test_a_method_of_other_parts_is_not_what_the_rows_are_compared_with():
    rows = [ablation_row("mgd3", plain=False), *ABLATION]
    runs = [*trained("mgd3", {0: 60.0, 1: 61.0, 2: 62.0}), *TRAININGS]
    found = {row["method"]: row for row in ablation_rows(runs, [], rows, ["s"], 0.05)}
    assert found["dit"]["verdict"] == "reference"
    assert found["mgd3"]["difference"] == -11
