"""A wrong field, or a wrong choice, in the table of recommendations is found."""

import pytest

from plants import altered, findings

TABLE = "tables/recommendation.csv"


def of_ipc_2(results, taken):
    """What names a row of the table, which is taken or not."""
    rows = (row for row in results.tables[TABLE] if (row["ipc"], row["taken"]) == (2, taken))
    return {name: value for name, value in next(rows).items() if name in ("method", "ipc")}


def off(check, results, invented, taken, column, change):
    """What the check finds in a row once a field is changed, and what now stands there."""
    where = of_ipc_2(results, taken)
    changed, _, now = altered(results, TABLE, where, column, change)
    found = findings(check, changed, invented.grid)
    at = [one for one in found if f"method {where['method']}" in one["row"].split(", ")]
    return [(one["column"], one["found"]) for one in at], now


@pytest.mark.parametrize(
    ("check", "taken", "column", "change"),
    [
        ("accuracy_of_choices", "no", "top1_mean", 0.01),
        ("accuracy_of_choices", "yes", "top1_mean", -0.01),
        ("accuracy_of_choices", "no", "label", "another"),
        ("accuracy_of_choices", "no", "coreset", "another"),
        ("what_is_taken", "yes", "taken", "no"),
        ("what_is_taken", "no", "taken", "yes"),
        ("what_is_taken", "no", "chosen_on", "test"),
        ("tests_of_choices", "no", "n_pairs", 1),
        ("tests_of_choices", "no", "over", "sets"),
        ("tests_of_choices", "no", "difference", 0.01),
        ("tests_of_choices", "no", "std_difference", 0.01),
        ("tests_of_choices", "no", "ci_low", 0.01),
        ("tests_of_choices", "no", "ci_high", 0.01),
        ("tests_of_choices", "no", "p", 0.01),
        ("tests_of_choices", "no", "verdict", "tie"),
        ("tests_of_choices", "no", "seed", 100),
        ("tests_of_choices", "yes", "verdict", "better"),
    ],
)
def test_a_wrong_field_is_found(results, invented, check, taken, column, change):
    found, now = off(check, results, invented, taken, column, change)
    assert (column, now) in found


def test_a_choice_that_validation_does_not_make_is_found(results, invented):
    found, _ = off("what_is_taken", results, invented, "yes", "top1_val", -60.0)
    assert ("taken", "yes") in found
