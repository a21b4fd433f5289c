"""Wrong choices are found, of weights and of a scale: which it was, and what that gained."""

import copy
from dataclasses import replace

import pytest

from plants import SCALE, TABLES, TUNED, altered, findings

TABLE = TABLES["tuning"]


def row_of(results, of=TUNED, **where):
    wanted = {**of, **where}
    return next(row for row in results.tables[TABLE] if wanted.items() <= row.items())


def test_a_candidate_that_was_not_the_best_is_found(results, invented):
    best = row_of(results, chosen="yes")
    where = {**TUNED, "variant": best["variant"]}
    changed, *_ = altered(results, TABLE, where, "chosen", "no")
    (found,) = findings("weights_chosen", changed, invented.grid)
    assert (found["column"], found["found"], found["expected"]) == ("chosen", "no", "yes")
    assert best["variant"] in found["row"]


def test_a_second_choice_is_found(results, invented):
    other = row_of(results, chosen="no")
    where = {**TUNED, "variant": other["variant"]}
    changed, *_ = altered(results, TABLE, where, "chosen", "yes")
    (found,) = findings("weights_chosen", changed, invented.grid)
    assert (found["found"], found["expected"]) == ("yes", "no")


def test_an_accuracy_on_the_validation_part_that_would_choose_another_is_found(results, invented):
    other = row_of(results, chosen="no")
    where = {**TUNED, "variant": other["variant"]}
    changed, *_ = altered(results, TABLE, where, "top1_val", 100 - other["top1_val"])
    found = findings("weights_chosen", changed, invented.grid)
    assert sorted(one["expected"] for one in found) == ["no", "yes"]


def test_one_on_the_test_part_chooses_nothing(results, invented):
    other = row_of(results, chosen="no")
    where = {**TUNED, "variant": other["variant"]}
    changed, *_ = altered(results, TABLE, where, "top1_test", 100 - other["top1_test"])
    assert findings("weights_chosen", changed, invented.grid) == []


@pytest.mark.parametrize(("variants", "chosen"), [("01", "tuning~1"), ("02", "tuning~0")])
def test_equals_are_told_apart_by_their_factors(results, invented, variants, chosen):
    """The middle one of three has the natural units; the others are as far from these."""
    rows = copy.deepcopy(results.tables[TABLE])
    for row in (row for row in rows if TUNED.items() <= row.items()):
        row["top1_val"] = 90.0 if row["variant"][-1] in variants else 10.0
        row["chosen"] = "yes" if row["variant"] == chosen else "no"
    changed = replace(results, tables={**results.tables, TABLE: rows})
    assert findings("weights_chosen", changed, invented.grid) == []


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_wrong_gain_is_found(results, invented, part):
    best = row_of(results, chosen="yes")
    where = {**TUNED, "variant": best["variant"]}
    changed, before, now = altered(results, TABLE, where, f"gain_{part}", 0.01)
    (found,) = findings("gains_of_tuning", changed, invented.grid)
    assert (found["column"], found["found"]) == (f"gain_{part}", now)
    assert found["expected"] == pytest.approx(before, abs=1e-4)


def test_a_gain_of_what_was_not_chosen_is_found(results, invented):
    other = row_of(results, chosen="no")
    where = {**TUNED, "variant": other["variant"]}
    changed, *_ = altered(results, TABLE, where, "gain_val", "1.5")
    (found,) = findings("gains_of_tuning", changed, invented.grid)
    assert (found["found"], found["expected"]) == ("1.5", None)


def test_candidates_that_share_a_weight_are_found(results, invented):
    grid = copy.deepcopy(invented.grid)
    rows = copy.deepcopy(results.tables[TABLE])
    for row, candidate in zip(rows, grid["candidates"], strict=True):
        if TUNED.items() <= row.items():
            row["eta_dpp"] = candidate["weights"]["eta_dpp"] = 40.96
    changed = replace(results, tables={**results.tables, TABLE: rows})
    (found,) = findings("weights_tried", changed, grid)
    assert (found["column"], found["found"], found["expected"]) == ("eta_dpp", 1, 3)


def chosen_scale(results):
    return row_of(results, SCALE, chosen="yes")["guidance_scale"]


def test_a_scale_that_was_not_the_best_is_found(results, invented):
    best = row_of(results, SCALE, chosen="yes")
    where = {**SCALE, "variant": best["variant"]}
    changed, *_ = altered(results, TABLE, where, "chosen", "no")
    (found,) = findings("weights_chosen", changed, invented.grid)
    assert (found["found"], found["expected"]) == ("no", "yes")


@pytest.mark.parametrize(("variants", "chosen"), [("01", "tuning~0"), ("12", "tuning~1")])
def test_of_equal_scales_it_is_the_least(results, invented, variants, chosen):
    rows = copy.deepcopy(results.tables[TABLE])
    for row in (row for row in rows if SCALE.items() <= row.items()):
        row["top1_val"] = 90.0 if row["variant"][-1] in variants else 10.0
        row["chosen"] = "yes" if row["variant"] == chosen else "no"
    changed = replace(results, tables={**results.tables, TABLE: rows})
    assert findings("weights_chosen", changed, invented.grid) == []


def test_the_passes_of_sampled_images_follow_from_the_scale_that_was_chosen(results, invented):
    """At 1 nothing is asked without a class."""
    assert chosen_scale(results) > 1
    where = {**SCALE, "variant": row_of(results, SCALE, chosen="yes")["variant"]}
    changed, *_ = altered(results, TABLE, where, "guidance_scale", 1 - chosen_scale(results))
    found = findings("work_of_images", changed, invented.grid)
    times = {invented.study.sampled_for_each(cell) for cell in invented.study.cells}
    assert {(one["found"], one["expected"]) for one in found} == {(6 * n, 3 * n) for n in times}
    # Passes of DAP's own may be as many as are missing.
    own = [cell for cell in sampled(invented) if cell["method"] != "dap"]
    assert len(found) == len(own) == len(sampled(invented)) - 1


def sampled(invented):
    """The cells of the tables that ask a denoiser."""
    methods = invented.study.methods
    return [cell for cell in invented.grid["tables"] if methods[cell["method"]].denoises]


def test_what_a_scale_took_is_in_every_sampled_row_and_in_no_other(results, invented):
    where = {**SCALE, "variant": "tuning~0"}
    changed, *_ = altered(results, TABLE, where, "seconds", 100.0)
    found = findings("seconds_of_tuning", changed, invented.grid)
    assert len(found) == len(sampled(invented))
    for one in found:
        assert one["expected"] == pytest.approx(one["found"] + 100, abs=1e-3)
