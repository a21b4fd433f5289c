"""Claims, from single rows to verdicts and to what readers are shown."""

import math

import pytest
from scipy.stats import ttest_rel

from lighthouse.parts.measures import MEASURES
from lighthouse.report.claim_pages import effect, number, summary
from lighthouse.report.claims import (
    ALONE,
    COLUMNS,
    NOTHING,
    STILL,
    UNLIKE,
    by_replicate,
    claim_rows,
    claims_table,
    slope,
    values_at,
)
from lighthouse.tables import MEASURED, MISSING

NAN = float("nan")
WORDS = {"dataset": "d", "says": "A <is> better.", "place": "S §1", "along": "", "ipc": 5}
WORDS = {**WORDS, "student": "", "protocol": "", "direction": "above", "rises": True}


def place(method, ipc=5):
    return {"dataset": "d", "method": method, "ipc": ipc, "variant": "table"}


def claim(name="c", measure="coverage", sides=("a", "b"), **more):
    places = [place(method) for method in sides]
    sides = {"of": sides[0], "against": sides[1]}
    return {**WORDS, "claim": name, "measure": measure, "places": places, **sides, **more}


def sets(method, by_replicate, column="coverage", status=MEASURED):
    """Rows of a table of sets. by_replicate: values of the sets of replicates 0, 1, …"""
    return [
        {
            **place(method),
            "replicate": replicate,
            "seed": replicate + 100 * i,
            column: value,
            "status": status,
        }
        for replicate, values in enumerate(by_replicate)
        for i, value in enumerate(values)
    ]


def tables(diversity=(), runs=(), costs=()):
    empty = {"fid_sets": [], "spectrum_ranks": []}
    return {**empty, "diversity": diversity, "runs": runs, "cost_replicates": costs}


A, B = [[0.5, 0.7], [0.8, 0.8], [0.7, 0.9]], [[0.1, 0.3], [0.2, 0.2], [0.3, 0.5]]


def decided(*claims, alpha=0.05, **given):
    return claim_rows(list(claims), tables(**given), alpha)


# Values.


def test_a_replicate_is_one_value_whatever_its_sets():
    (row,) = decided(claim(), diversity=sets("a", A) + sets("b", B))
    test = ttest_rel([0.6, 0.8, 0.8], [0.2, 0.2, 0.4])
    assert row["n_replicates"] == 3
    assert (row["value_of"], row["value_against"]) == pytest.approx((2.2 / 3, 0.8 / 3))
    assert row["effect"] == pytest.approx(1.4 / 3)
    assert row["p"] == row["p_holm"] == pytest.approx(test.pvalue)
    low, high = test.confidence_interval(0.95)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert row["verdict"] == "holds"


def test_accuracies_are_of_the_students_that_both_sides_have():
    judged = {"student": "s", "protocol": "p"}
    runs = [
        {**place(m), **judged, "replicate": 0, "seed": 0, "student_seed": k, "top1_last": top1}
        for m, students in (("a", [80.0, 10.0]), ("b", [70.0]))
        for k, top1 in enumerate(students)
    ]
    runs = [{**run, "status": MEASURED} for run in runs]
    places = [{**at, **judged} for at in claim()["places"]]
    values = [values_at(runs, MEASURES["accuracy"], at) for at in places]
    assert by_replicate(values) == [[80.0, 70.0]]


def test_rows_of_other_cells_and_failed_ones_are_no_values():
    rows = sets("a", [[0.1]]) + sets("b", [[0.9]]) + sets("a", [[0.2]], status=MISSING)
    rows += [{**sets("a", [[NAN]])[0], "seed": 7}]
    assert values_at(rows, MEASURES["coverage"], place("a")) == {0: {(0,): 0.1}}


def test_a_trend_is_the_slope_over_ranks_in_each_replicate():
    assert slope([1.0, 3.0, 5.0]) == pytest.approx(2.0)
    trend = claim(
        measure="ssim",
        along="eta",
        against="",
        direction="falls",
        rises=False,
        places=[place(name) for name in ("low", "mid", "high")],
    )
    curves = {"low": [[0.6], [0.7], [0.5]], "mid": [[0.4], [0.5], [0.4]]}
    curves["high"] = [[0.2], [0.1], [0.0]]
    rows = [row for name, values in curves.items() for row in sets(name, values, "ssim")]
    (row,) = decided(trend, diversity=rows)
    assert row["effect"] == pytest.approx(-(0.2 + 0.3 + 0.25) / 3)
    assert row["unit"] == "a step" and math.isnan(row["value_of"])
    assert row["verdict"] == "holds"
    missing = [row for row in rows if row["method"] != "mid"]
    assert decided(trend, diversity=missing)[0]["verdict"] == MISSING


# Verdicts.


def test_what_is_decided_the_other_way_round_does_not_hold():
    (row,) = decided(claim(sides=("b", "a")), diversity=sets("a", A) + sets("b", B))
    assert row["verdict"] == "does not hold"
    assert row["ci_high"] < 0


def test_the_claims_of_one_dataset_are_one_family():
    noisy = sets("c", [[0.1], [0.9], [0.4]])
    rows = sets("a", A) + sets("b", B) + noisy
    claims = [claim(), claim("e", sides=("a", "c"))]
    other = [
        {**one, "dataset": "e", "places": [{**p, "dataset": "e"} for p in one["places"]]}
        for one in claims[:1]
    ]
    elsewhere = [{**row, "dataset": "e"} for row in rows]
    first, second, third = decided(*claims, *other, diversity=rows + elsewhere)
    assert first["p_holm"] == pytest.approx(2 * first["p"])
    assert (first["level"], second["level"]) == (0.025, 0.05)
    assert second["verdict"] == "undecided" and second["ci_low"] < 0 < second["ci_high"]
    assert second["detectable"] > abs(second["effect"])
    assert third["p_holm"] == third["p"] == first["p"]


def test_counts_decide_without_a_test_and_cost_the_family_nothing():
    costs = [
        {**place(m), "replicate": r, "evaluations_per_image": n, "status": MEASURED}
        for m, n in (("a", 100), ("b", 240))
        for r in range(3)
    ]
    counted = claim("n", "passes", direction="below", rises=False)
    rows = decided(counted, claim(), diversity=sets("a", A) + sets("b", B), costs=costs)
    assert (rows[0]["basis"], rows[0]["verdict"], rows[0]["effect"]) == ("count", "holds", -140)
    assert math.isnan(rows[0]["p"]) and math.isnan(rows[0]["ci_low"])
    assert rows[1]["level"] == 0.05
    equal = [{**row, "evaluations_per_image": 100} for row in costs]
    assert decided(counted, costs=equal)[0]["verdict"] == "does not hold"
    costs[0]["evaluations_per_image"] = 101
    assert decided(counted, costs=costs)[0]["note"] == UNLIKE
    assert decided(counted, costs=costs)[0]["verdict"] == "undecided"


def test_what_cannot_be_tested_is_undecided_and_says_why():
    still = sets("a", [[0.5], [0.5]]) + sets("b", [[0.4], [0.4]])
    (row,) = decided(claim(), diversity=still)
    assert (row["verdict"], row["note"]) == ("undecided", STILL)
    (row,) = decided(claim(), diversity=sets("a", A[:1]) + sets("b", B[:1]))
    assert (row["verdict"], row["note"], row["n_replicates"]) == ("undecided", ALONE, 1)
    assert math.isnan(row["p"]) and math.isnan(row["detectable"])


def test_a_claim_whose_side_failed_stays_as_missing():
    (row,) = decided(claim(), diversity=sets("a", A) + sets("b", B, status=MISSING))
    assert (row["verdict"], row["note"], row["n_replicates"]) == (MISSING, NOTHING, 0)
    assert tuple(row) == COLUMNS


# What readers are shown.


def made():
    given = tables(diversity=sets("a", A) + sets("b", B))
    claims = [claim(), claim("lost", sides=("a", "x"))]
    return claims_table(**given, rows=claims, alpha=0.05)


def test_the_pages_show_every_claim_and_escape_its_words():
    found = made()
    assert "| A &lt;is&gt; better. | S §1 | coverage, IPC 5: 0.7333, 0.2667 |" in found["markdown"]
    assert "**holds**" in found["markdown"] and "**missing**" in found["markdown"]
    assert "A &lt;is&gt; better." in found["page"]
    assert 'class="verdict holds"' in found["page"] and 'class="verdict missing"' in found["page"]
    assert "Of 2 claims, 1 holds, 1 is missing." in found["page"]


def test_an_effect_has_its_interval_its_unit_and_what_is_to_be_noted():
    (still,) = decided(claim(), diversity=sets("a", [[0.5], [0.5]]) + sets("b", [[0.4], [0.4]]))
    assert effect(still) == f"+0.1; {STILL}"
    tested = {**still, "effect": -2.0, "ci_low": -3.0, "ci_high": -1.0, "unit": "s", "note": NAN}
    assert effect(tested) == "−2 (−3 to −1) s"
    assert effect({**still, "effect": NAN, "note": NOTHING}) == NOTHING


def test_a_summary_counts_verdicts():
    verdicts = ["holds", "holds", "does not hold", "undecided", "undecided", "undecided"]
    rows = [{"verdict": verdict} for verdict in verdicts]
    assert summary(rows) == "Of 6 claims, 2 hold, 1 does not hold, 3 are undecided."
    assert summary(rows[:1]) == "Of 1 claim, 1 holds."


def test_numbers_have_three_digits_and_a_printed_minus():
    assert number(-1.23456) == "−1.23"
    assert number(2.0, signed=True) == "+2"
    assert number(NAN) == "–"
