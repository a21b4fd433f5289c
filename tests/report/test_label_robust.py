"""The label-robust score: by hand, and of the right trainings under the right labels."""

import math

import pytest

from boards import SPECS, TABLES, board, run_row, spec
from lighthouse.config.labels import scored_labels
from lighthouse.config.load import load_study
from lighthouse.report.label_robust import COLUMNS, label_robust_score, score_rows
from lighthouse.report.leaderboard import leaderboard_rows
from lighthouse.report.pages import markdown
from lighthouse.report.sheets import Comparison, sheets
from lighthouse.tables import CELL
from repository import ROOT
from shipped import changed

LABELS = {"hard": {"h": "h", "s": "h"}, "random": "random", "full": {}}
ROWS = [spec("random", 1, real=True), spec("rsm", 1), spec("full", "all", real=True)]
RANDOM, RSM, FULL = ROWS


def runs(row, protocol, *values, student="s"):
    """Trainings of a cell: of each replicate one set, of two students. values: pairs."""
    keys = {**{name: row[name] for name in CELL}, "student": student, "protocol": protocol}
    return [
        run_row(keys, replicate, number, value)
        for replicate, pair in enumerate(values)
        for number, value in enumerate(pair)
    ]


#: Soft labels give random images 60 and the set 66; hard ones 40 and 50. All real images: 90.
ALL = [
    *runs(RANDOM, "s", (58.0, 62.0), (60.0, 60.0)),
    *runs(RANDOM, "h", (40.0, 40.0), (42.0, 38.0)),
    *runs(RSM, "s", (62.0, 66.0), (68.0, 68.0)),
    *runs(RSM, "h", (50.0, 54.0), (48.0, 48.0)),
    *runs(FULL, "h", (89.0, 91.0)),
]


def scores(given=ALL, labels=LABELS, specs=ROWS):
    found = score_rows(given, specs, labels)
    return {(row["method"], row["protocol"]): row for row in found}


def lrs(ior, hlr):
    alpha = 0.5 * ior / 100 - 0.5 * hlr / 100
    return 100 * (math.e**alpha - 1 / math.e) / (math.e - 1 / math.e)


@pytest.mark.parametrize(
    ("ior", "hlr", "expected"),
    [
        (0.0, 0.0, 26.894142),  # (1 - e^-1) / (e - e^-1) = 1 / (1 + e)
        (100.0, -100.0, 100.0),
        (-100.0, 100.0, 0.0),
        (6.0, 40.0, 20.24272),  # α = -0.17
    ],
)
def test_the_score_is_that_of_the_formula(ior, hlr, expected):
    assert label_robust_score(ior, hlr) == pytest.approx(expected, abs=1e-5)


def test_a_row_of_soft_labels_is_read_with_the_hard_ones_of_the_same_set():
    row = scores()["rsm", "s"]
    # By replicate: 64 - 60 and 68 - 60 beside random images, 90 - 52 and 90 - 48 with hard labels.
    assert (row["ior"], row["hlr"]) == (6.0, 40.0)
    one, two = lrs(4.0, 38.0), lrs(8.0, 42.0)
    assert row["lrs"] == pytest.approx((one + two) / 2)
    assert row["lrs_std"] == pytest.approx(abs(one - two) / math.sqrt(2), abs=1e-12)
    assert (row["hard_protocol"], row["full_hard"], row["full_hard_from"]) == ("h", 90.0, "ceiling")


def test_a_row_of_hard_labels_is_read_alone():
    row = scores()["rsm", "h"]
    assert (row["ior"], row["hlr"], row["hard_protocol"]) == (10.0, 40.0, "h")


def test_random_images_gain_nothing_over_themselves_and_lack_what_they_lack():
    found = scores()
    assert (found["random", "s"]["ior"], found["random", "s"]["hlr"]) == (0.0, 50.0)
    assert found["random", "s"]["lrs"] == pytest.approx(lrs(0.0, 50.0))
    assert not {method for method, _ in found} & {"full"}


def test_a_set_is_compared_by_the_trainings_that_random_images_have_too():
    less = [r for r in ALL if (r["method"], r["seed"], r["student_seed"]) != ("random", 0, 0)]
    assert scores(less)["rsm", "s"]["ior"] == ((66 - 62) + (68 - 60)) / 2


def without(method, protocol):
    return [run for run in ALL if (run["method"], run["protocol"]) != (method, protocol)]


@pytest.mark.parametrize(
    ("given", "labels", "empty"),
    [
        (without("full", "h"), LABELS, {"hlr", "lrs", "lrs_std", "full_hard"}),
        (without("rsm", "h"), LABELS, {"hlr", "lrs", "lrs_std"}),
        (without("random", "s"), LABELS, {"ior", "lrs", "lrs_std"}),
        (ALL, {**LABELS, "random": None}, {"ior", "lrs", "lrs_std"}),
        (
            ALL,
            {**LABELS, "hard": {"h": None, "s": None}},
            {"hlr", "lrs", "lrs_std", "full_hard"},
        ),
    ],
    ids=["no ceiling", "hard labels failed", "random failed", "no random", "no hard labels"],
)
def test_what_a_part_is_missing_of_is_empty(given, labels, empty):
    row = scores(given, labels)["rsm", "s"]
    numbers = [name for name in COLUMNS if not isinstance(row[name], str)]
    assert {name for name in numbers if row[name] != row[name]} == empty


def test_a_given_accuracy_stands_for_a_ceiling_that_is_not_trained():
    labels = {**LABELS, "full": {"toy": {"s": 80.0}}}
    row = scores(without("full", "h"), labels)["rsm", "s"]
    assert (row["hlr"], row["full_hard"], row["full_hard_from"]) == (30.0, 80.0, "config")
    assert scores(ALL, labels)["rsm", "s"]["full_hard_from"] == "ceiling"


def test_another_students_trainings_do_not_enter():
    other = runs(RSM, "h", (1.0, 1.0), (1.0, 1.0), student="t")
    found = score_rows([*ALL, *other], ROWS, LABELS)
    own = [r for r in found if (r["method"], r["student"], r["protocol"]) == ("rsm", "s", "h")]
    assert [row["hlr"] for row in own] == [40.0]


def test_the_leaderboard_has_the_scores_of_its_rows_and_none_of_a_ceiling():
    place = {"dataset": "toy", "method": "rsm", "ipc": 5, "student": "s", "protocol": "p"}
    values = (40.0, 6.0, 20.2, 0.3, "p", 90.0, "ceiling")
    given = {**place, **dict(zip(COLUMNS, values, strict=True))}
    found = board({**TABLES, "scores": [given]})[1]
    assert tuple(found["rsm", 5][name] for name in COLUMNS) == values
    assert found["full", "all"]["lrs"] != found["full", "all"]["lrs"]
    assert found["rsm", 1]["hard_protocol"] == ""


def test_markdown_has_the_scores_below_where_there_are_any():
    comparison = Comparison("DiT", frozenset({"random", "full"}), 0.05)
    place = {"dataset": "toy", "method": "rsm", "ipc": 5, "student": "s", "protocol": "p"}
    values = (40.0, 6.0, 20.24, 0.31, "p", 90.0, "config")
    given = {**place, **dict(zip(COLUMNS, values, strict=True))}

    def text(scores):
        rows = leaderboard_rows(SPECS, {**TABLES, "scores": scores}, ["s"], "dit")
        return markdown(sheets(rows, comparison, {}))

    assert "| Label-robust score | IPC 1 | IPC 5 |" in text([given])
    assert r"| RSM (λ \| η) | – | 20.2 ± 0.3 |" in text([given])
    assert "under protocol “p”. It falls" in text([given])
    assert "(90.0 %, as the config gives it), under protocol “p”, whose labels" in text([given])
    assert "abel-robust" not in text([])


@pytest.mark.parametrize(
    ("protocols", "hard"),
    [
        (["rded", "igd", "minimax"], {"rded": "igd", "igd": "igd", "minimax": "minimax"}),
        (["minimax", "rded"], {"minimax": "minimax", "rded": "minimax"}),
        (["rded"], {"rded": None}),
    ],
)
def test_beside_soft_labels_stand_the_first_hard_ones_of_the_study(protocols, hard):
    config = changed("datasets.digits.image_size", 64, changed("run.protocols", protocols))
    config["run"]["tuning"]["protocol"] = "digits"
    found = scored_labels(load_study(config, ROOT))
    assert found == {"hard": hard, "random": "random", "full": {}}
