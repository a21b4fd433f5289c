"""Each wrong number that is planted in the claims, or in what they are of, is found."""

import math

import pytest
from scipy.stats import t

from lighthouse.report.audit.decided import _shift
from lighthouse.report.testing import detectable
from plants import altered, findings, without

CLAIMS, SINGLE = "tables/claims.csv", "tables/fid_sets.csv"
TESTED, TREND = {"claim": "cgs-above-prior"}, {"claim": "dpp-makes-diverse"}
COUNTED, CURVE = {"claim": "cgs-fewer-gradients"}, {"claim": "rsm-lowers-rank"}

#: The check that sees it, the claim, the column, and what is put there.
PLANTS = [
    *(
        ("effects_of_claims", TESTED, column, by)
        for column, by in {
            "says": "RSM + CGS teaches worse.",
            "place": "S",
            "measure": "coverage",
            "unit": "passes",
            "of": "dit",
            "against": "rsm",
            "ipc": 1,
            "student": "resnet18",
            "protocol": "igd",
            "direction": "below",
            "basis": "count",
            "n_replicates": 1,
            "value_of": 0.01,
            "value_against": 0.01,
            "effect": 0.01,
            "std_difference": 0.01,
        }.items()
    ),
    ("effects_of_claims", TREND, "along", "mu_dm"),
    ("effects_of_claims", TREND, "effect", 0.001),
    ("effects_of_claims", CURVE, "effect", 0.001),
    ("effects_of_claims", COUNTED, "effect", 1),
    *(
        ("families_of_claims", where, column, by)
        for where in (TESTED, TREND)
        for column, by in {
            "p": 0.001,
            "p_holm": -0.001,
            "level": 0.001,
            "ci_low": 0.01,
            "ci_high": 0.01,
            "detectable": 0.01,
        }.items()
    ),
    ("families_of_claims", COUNTED, "p", "0.5"),
    ("verdicts_of_claims", TESTED, "verdict", "holds"),
    ("verdicts_of_claims", COUNTED, "verdict", "undecided"),
    ("verdicts_of_claims", TESTED, "note", "because"),
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant[2]}-{plant[1]['claim']}")
def test_a_wrong_field_of_a_claim_is_found(plant, results, invented):
    check, where, column, change = plant
    changed, _, now = altered(results, CLAIMS, where, column, change)
    found = [one for one in findings(check, changed, invented.grid) if one["column"] == column]
    assert found, f"{check} does not see {column}"
    assert found[0]["table"] == CLAIMS and f"claim {where['claim']}" in found[0]["row"]
    if column != "note":  # of which it is told whether there is one
        assert found[0]["found"] == pytest.approx(now)


def test_a_wrong_interval_beside_a_verdict_is_found(results, invented):
    changed, *_ = altered(results, CLAIMS, TREND, "ci_low", 99.0)
    words = [one["words"] for one in findings("verdicts_of_claims", changed, invented.grid)]
    assert any("verdict is undecided, not decided" in line for line in words)


@pytest.mark.parametrize(
    ("table", "where", "column", "claim"),
    [
        ("runs", {"method": "dit", "ipc": 2}, "top1_last", TESTED),
        ("diversity", {"method": "rsm-cgs", "variant": "eta_dpp~0"}, "ssim", TREND),
        ("spectrum_ranks", {"source": "RSM"}, "effective_rank", CURVE),
        ("cost_replicates", {"method": "dit-igd"}, "gradients_per_image", COUNTED),
        ("fid_sets", {"method": "minimax"}, "fid", {"claim": "cgs-nearer"}),
    ],
)
def test_another_number_behind_a_claim_is_found(table, where, column, claim, results, invented):
    changed, *_ = altered(results, f"tables/{table}.csv", where, column, 1.0)
    found = findings("effects_of_claims", changed, invented.grid)
    assert {one["row"].split("claim ")[1] for one in found} == {claim["claim"]}


def test_a_claim_that_is_lost_is_found(results, invented):
    found = findings("every_row", without(results, CLAIMS, TESTED), invented.grid)
    assert [(one["table"], one["found"], one["expected"]) for one in found] == [(CLAIMS, 0, 1)]


def test_a_single_distance_that_the_mean_does_not_have_is_found(results, invented):
    for where in ({"method": "minimax", "ipc": 2}, {"method": "herding", "ipc": 2, "seed": 0}):
        changed, *_ = altered(results, SINGLE, where, "fid", 1.0)
        found = findings("single_distances", changed, invented.grid)
        assert found[0]["table"] == "tables/fid.csv" and found[0]["column"] == "fid"


@pytest.mark.parametrize(("n", "level"), [(2, 0.05), (2, 0.005), (3, 0.003), (10, 0.02)])
def test_the_least_difference_is_the_same_by_both_formulas(n, level):
    shift = _shift(n - 1, float(t.isf(level / 2, n - 1)))
    assert shift / math.sqrt(n) == pytest.approx(detectable(1.0, n, level), rel=1e-7)
