"""The table of tunings: a row a candidate, and what the choice gained, by hand."""

from lighthouse.report.tuning import RESULTS, tuning_table
from lighthouse.tables import CELL

PLACE = {"dataset": "toy", "method": "m", "ipc": 5}
CANDIDATES = [
    {**PLACE, "variant": f"tuning~{i}", "factors": {"a": factor}, "weights": {"a": 10 * factor}}
    for i, factor in enumerate((0.5, 1, 2))
]
VAL, TEST = (0.6, 0.7, 0.75), (0.8, 0.5, 0.45)
RECORD = {
    "candidates": [
        {**{k: c[k] for k in ("variant", "factors", "weights")}, "val": v, "test": t, "seconds": 2}
        for c, v, t in zip(CANDIDATES, VAL, TEST, strict=True)
    ],
    "chosen": "tuning~2",
}


def rows_of(record):
    table = tuning_table([record], [{**PLACE, "variant": "table"}], CANDIDATES, ["a", "b"])
    assert table["table"].columns == (*CELL, "a", "b", *RESULTS)
    return table["table"].rows


def test_each_candidate_is_a_row_with_its_weights_and_accuracies():
    rows = rows_of(RECORD)
    assert [row["variant"] for row in rows] == ["tuning~0", "tuning~1", "tuning~2"]
    assert [(row["a"], row["b"]) for row in rows] == [(5, 0), (10, 0), (20, 0)]
    assert [(row["top1_val"], row["top1_test"]) for row in rows] == [(60, 80), (70, 50), (75, 45)]
    assert [row["chosen"] for row in rows] == ["no", "no", "yes"]


def test_the_chosen_row_has_its_gain_over_the_natural_units_on_either_part():
    *others, chosen = rows_of(RECORD)
    assert (round(chosen["gain_val"], 9), round(chosen["gain_test"], 9)) == (5, -5)
    assert all(row[n] != row[n] for row in others for n in ("gain_val", "gain_test"))


def test_a_tuning_that_failed_leaves_its_candidates_rows():
    rows = rows_of(None)
    assert [row["status"] for row in rows] == ["missing"] * 3
    assert [row["a"] for row in rows] == [5, 10, 20]
    assert all(row["top1_val"] != row["top1_val"] for row in rows)


def test_candidates_of_a_guidance_scale_have_it_and_those_of_weights_have_none():
    scale = {"guidance_scale": 1.5}
    tried = {"variant": "tuning~0", "factors": {"guidance_scale": 1.0}, "weights": scale}
    own = {"dataset": "toy", "method": "dit", "ipc": 3}
    record = {
        "candidates": [{**tried, "val": 0.5, "test": 0.4, "seconds": 1}],
        "chosen": "tuning~0",
    }
    names = [{**place, "variant": "table"} for place in (own, PLACE)]
    candidates = [{**own, **tried}, *CANDIDATES]
    weights = ["guidance_scale", "a"]
    table = tuning_table([record, RECORD], names, candidates, weights)["table"]
    first, second = table.rows[:2]
    assert (first["guidance_scale"], first["a"], first["gain_val"]) == (1.5, 0, 0)
    assert second["guidance_scale"] != second["guidance_scale"]
    assert table.columns == (*CELL, "guidance_scale", "a", *RESULTS)
