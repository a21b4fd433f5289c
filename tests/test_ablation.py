"""The ablation: each row against the plain one, by hand."""

import pytest

from boards import NAN, spec
from lighthouse.report.ablation import COLUMNS, ablation_rows


def ablation_row(method, **factors):
    given = {"rsm": "no", "dpp": "no", "mean": "no", "coupling": "iid", **factors}
    return {**{k: v for k, v in spec(method, 5).items() if k != "label"}, **given}


def trained(method, by_seed, student="s"):
    return [
        {
            **spec(method, 5),
            "student": student,
            "protocol": "p",
            "seed": seed,
            "student_seed": 0,
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
    assert found["cgs"]["verdict"] == "better"
    assert all(tuple(row) == COLUMNS for row in found.values())


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
