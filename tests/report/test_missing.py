"""Tables and figures of which a record is missing show the others, and name it."""

import pytest

from lighthouse.report.curve_figures import ssim_vs_eta_dpp
from lighthouse.report.figures import plt, spectrum
from lighthouse.report.measures import joined


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


RECORDS = [{"distances": {"method": "x", "fid": 1.5}}, {"distances": {"method": "y", "fid": None}}]
NAMES = [{"method": "x", "variant": "a"}, {"method": "y", "variant": "b"}]


def test_rows_of_records_are_joined_in_order():
    first, second = joined(RECORDS, NAMES, "distances", {})["table"].rows
    assert first == {"method": "x", "fid": 1.5, "status": "measured"}
    assert (second["method"], second["status"]) == ("y", "measured")
    assert second["fid"] != second["fid"]


def test_a_record_that_is_missing_is_a_row_of_the_columns_that_others_have():
    table = joined([None, RECORDS[1]], NAMES, "distances", {})["table"]
    first, second = table.rows
    assert tuple(first) == tuple(second) == table.columns == ("method", "fid", "status")
    assert (first["method"], first["status"]) == ("x", "missing")
    assert first["fid"] != first["fid"]


def test_of_records_that_are_all_missing_the_names_are_left():
    assert joined([None, None], NAMES, "distances", {})["table"].rows == [
        {"method": "x", "variant": "a", "status": "missing"},
        {"method": "y", "variant": "b", "status": "missing"},
    ]


def test_records_of_other_columns_are_not_joined():
    more = {"distances": {"method": "y", "fid": 1.0, "kid": 0.0}}
    less = {"distances": {"method": "y"}}
    for odd in (more, less):
        with pytest.raises(ValueError, match=r"distances of .*'y'.* has columns .*, not \["):
            joined([RECORDS[0], odd], NAMES, "distances", {})


def test_rows_of_one_record_that_have_other_columns_are_not_joined():
    record = {"ranks": [{"method": "x", "n": 1}, {"method": "x"}]}
    with pytest.raises(ValueError, match=r"ranks of .*'x'"):
        joined([record], NAMES[:1], "ranks", {})


def test_a_set_stands_with_its_replicate_and_a_pick_with_none():
    record = {"sets": [{"method": "x", "seed": seed, "ssim": 0.2} for seed in (0, 5, "")]}
    (table,) = joined([record], NAMES[:1], "sets", {0: 0, 5: 0}).values()
    assert table.columns == ("method", "replicate", "seed", "ssim", "status")
    assert [row["replicate"] for row in table.rows[:2]] == [0, 0]
    assert table.rows[2]["replicate"] != table.rows[2]["replicate"]


def test_a_curve_that_is_missing_leaves_the_others():
    rows = [
        {"dataset": "a", "source": "real", "seed": seed, "index": i, "normalised": 1 / i}
        for seed in (0, 1)
        for i in (1, 2)
    ]
    names = [{"dataset": "a", "source": source} for source in ("real", "RSM")]
    made = spectrum([{"spectrum": rows}, None], names, ["real", "RSM"])
    assert [row["source"] for row in made["data"].rows] == ["real", "real"]
    assert [row["mean"] for row in made["data"].rows] == [1, 0.5]
    assert made["figure"].get_supxlabel() == "missing: RSM (a)"


def test_a_weight_that_is_missing_leaves_the_ssim_at_the_others():
    record = {"diversity": [{"dataset": "a", "seed": seed, "ssim": 0.2} for seed in (0, 1)]}
    points = [{"dataset": "a", "value": value} for value in (0.0, 30.0)]
    made = ssim_vs_eta_dpp([record, None], points, "a title")
    assert [(row["eta_dpp"], row["mean"]) for row in made["data"].rows] == [(0.0, 0.2)]
    assert made["figure"].get_supxlabel() == "missing: η_DPP = 30 (a)"
