"""The leaderboard: every row of the study, joined by hand, nothing dropped."""

import pytest

from boards import (
    FIGURES,
    NAN,
    OF_FAMILY,
    SPECS,
    TABLES,
    accuracy_of,
    board,
    measures,
    spec,
)
from lighthouse.report.leaderboard import COLUMNS, elsewhere
from lighthouse.tables import read_rows
from repository import ROOT

PUBLISHED = ROOT / "config" / "published.tsv"


# Rows.


def test_every_row_of_the_study_is_there_in_its_order():
    rows, _ = board()
    assert [(row["method"], row["ipc"]) for row in rows] == [(s["method"], s["ipc"]) for s in SPECS]
    assert all(tuple(row) == COLUMNS for row in rows)


def test_a_row_says_measured_missing_or_not_run():
    _, found = board()
    assert found["rsm", 5]["status"] == "measured"
    assert found["broken", 1]["status"] == "missing"
    assert found["igd", 5]["status"] == "not run"


def test_a_row_that_the_tables_have_lost_is_missing_and_not_dropped():
    kept = [row for row in TABLES["accuracy"] if row["method"] != "rsm"]
    rows, found = board({**TABLES, "accuracy": kept})
    assert len(rows) == len(SPECS)
    assert found["rsm", 1]["status"] == "missing"


def test_accuracy_and_verdict_are_those_of_the_row():
    _, found = board()
    row = found["rsm", 1]
    assert (row["top1_mean"], row["top1_std"], row["top1_best_mean"]) == (77.5, 1.0, 78.5)
    assert (row["std_sets"], row["std_students"]) == (3.0, 4.0)
    assert (row["difference"], row["p_holm"], row["verdict"]) == (7.5, 0.012, "better")
    assert found["dit", 1]["verdict"] == "base"
    assert found["full", "all"]["verdict"] == ""


def test_other_variants_students_and_protocols_do_not_enter():
    swept = accuracy_of({**spec("rsm", 1), "variant": "eta_dpp~30"}, 11.0)
    student = accuracy_of(spec("rsm", 1), 12.0, student="of the sweep")
    rows, found = board({**TABLES, "accuracy": [swept, student, *TABLES["accuracy"]]})
    assert found["rsm", 1]["top1_mean"] == 77.5
    assert {row["student"] for row in rows} == {"s"}


def test_each_student_and_protocol_has_a_board_of_its_own():
    again = [{**row, "protocol": "q", "top1_last_mean": 1.0} for row in TABLES["accuracy"]]
    rows, _ = board({**TABLES, "accuracy": TABLES["accuracy"] + again})
    assert [row["protocol"] for row in rows] == ["p"] * len(SPECS) + ["q"] * len(SPECS)
    assert {row["top1_mean"] for row in rows if row["status"] == "measured"} >= {1.0, 77.5}


def test_diversity_is_the_mean_over_seeds_and_fid_and_cost_are_the_rows_own():
    among = {"precision": 0.5, "recall": NAN, "density": 1.25, "nearest_latent": 0.75}
    diversity = [
        measures("rsm", 1, seed=s, **among, coverage=c, log_det=-s, ssim=NAN)
        for s, c in ((1, 0.2), (2, 0.4))
    ]
    tables = {
        **TABLES,
        "diversity": [*diversity, measures("rsm", 5, seed=1, coverage=0.9, log_det=-9, ssim=0.5)],
        "fid": [
            measures("rsm", 5, fid=3.0, fid_pooled=2.0, kid=0.1, extractor="x"),
            measures("rsm", 1, fid=7.0, fid_pooled=2.0, kid=-0.2, extractor="x"),
        ],
        "cost": [measures("rsm", 1, seconds_per_image=0.25, tuning_seconds=40.0)],
    }
    row = board(tables)[1]["rsm", 1]
    assert (row["coverage"], row["log_det"]) == (pytest.approx(0.3), -1.5)
    assert row["ssim"] != row["ssim"]
    assert (row["precision"], row["density"], row["nearest_latent"]) == (0.5, 1.25, 0.75)
    assert all(row[name] != row[name] for name in ("recall", "nearest_feature"))
    assert (row["fid"], row["kid"], row["extractor"]) == (7.0, -0.2, "x")
    assert (row["seconds_per_image"], row["tuning_seconds"]) == (0.25, 40.0)


def test_a_measure_that_failed_says_so_beside_an_accuracy_that_did_not():
    place = {"dataset": "toy", "method": "rsm", "ipc": 5}
    fid = {**place, "fid": NAN, "kid": NAN, "extractor": NAN, "status": "missing"}
    diversity = {**place, "variant": "table", "seed": NAN, "ssim": NAN, "status": "missing"}
    seconds = ("seconds_per_image", "tuning_seconds")
    cost = {**place, **dict.fromkeys(seconds, NAN), "status": "missing"}
    found = board({**TABLES, "fid": [fid], "diversity": [diversity], "cost": [cost]})[1]
    lost, *others = found["rsm", 5], found["rsm", 1], found["dit", 5]
    beside = ("fid", "kid", "ssim", "coverage", "nearest_feature", *seconds)
    assert [lost[name] for name in beside] == ["missing"] * 7
    assert lost["status"] == "measured"
    assert all(row[name] != row[name] for row in others for name in beside)


def test_a_measure_of_a_sweep_that_failed_leaves_its_method_be():
    swept = {**spec("rsm", 5), "variant": "eta_dpp~30", "ssim": NAN, "status": "missing"}
    row = board({**TABLES, "diversity": [swept]})[1]["rsm", 5]
    assert row["ssim"] != row["ssim"]


# Published figures.


def test_a_published_figure_of_the_same_protocol_comes_first_and_another_is_named():
    found = board({**TABLES, "published": FIGURES}, OF_FAMILY)[1]
    row, other = found["rsm", 1], found["rsm", 5]
    assert (row["published"], row["published_protocol"], row["published_source"]) == (67, "p", "A")
    assert (other["published"], other["published_protocol"]) == (68, "another")


def test_a_published_figure_stands_beside_a_row_that_is_not_run():
    row = board({**TABLES, "published": FIGURES}, OF_FAMILY)[1]["igd", 5]
    assert (row["status"], row["published"]) == ("not run", 69)


def test_figures_of_another_student_or_dataset_are_not_shown():
    found = board({**TABLES, "published": FIGURES}, OF_FAMILY)[1]
    assert found["dit", 1]["published"] != found["dit", 1]["published"]
    alone = board({**TABLES, "published": FIGURES})[1]
    assert all(row["published"] != row["published"] for row in alone.values())


def test_a_variant_of_a_published_protocol_counts_as_it():
    accuracy = [{**row, "protocol": "p-imagenet"} for row in TABLES["accuracy"]]
    tables = {**TABLES, "accuracy": accuracy, "published": FIGURES}
    assert board(tables, OF_FAMILY)[1]["rsm", 1]["published"] == 67


def test_methods_without_a_row_are_named_with_their_figures():
    rows, _ = board({**TABLES, "published": FIGURES}, OF_FAMILY)
    assert elsewhere(OF_FAMILY, FIGURES, rows) == {("toy", "p", "s"): [FIGURES[6]]}


def test_the_list_of_published_figures_is_well_formed():
    rows = read_rows(PUBLISHED)
    assert len(rows) > 80
    for row in rows:
        assert tuple(row) == tuple(FIGURES[0])
        assert row["ipc"] in (10, 50, 100, "all")
        assert 20 < row["top1"] < 95
        assert row["protocol"] in ("minimax", "igd", "rded")
        assert isinstance(row["source"], str)
    keys = [
        tuple(row[k] for k in ("dataset", "student", "protocol", "method", "ipc")) for row in rows
    ]
    assert len(set(keys)) == len(keys)


def test_the_figures_that_are_second_hand_say_so():
    rows = [row for row in read_rows(PUBLISHED) if row["method"] in ("rsm", "rsm-cgs")]
    assert {row["top1"] for row in rows} >= {62.4, 65.5, 86.7, 72.5, 46.7, 61.0}
    assert all("second-hand" in row["source"] for row in rows)
