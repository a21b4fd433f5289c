"""Sweeps: one factor varied at a time, of the students that all points have, and their figure."""

import pandas as pd
import pytest

from boards import run_row
from lighthouse.config.grid import TABLE
from lighthouse.report.curve_figures import sensitivity_figure
from lighthouse.report.curves import (
    sweep_left_out,
    sweep_rows,
)
from lighthouse.report.figures import plt, save_figure
from lighthouse.runtime.errors import DataError

NAN = float("nan")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


LABELS = {"lambda": "λ", "eta_dpp": "η", "mu_dm": "μ"}
CELL = {"dataset": "toy", "method": "rsm-cgs", "ipc": 5}


def points_of(**factors):
    """Points of curves: by factor, the values that are asked for, and the tables' own last."""
    return pd.DataFrame(
        [
            {
                "factor": factor,
                "value": value,
                "at_table": value == values[-1],
                **CELL,
                "variant": TABLE if value == values[-1] else f"{factor}~{value:g}",
            }
            for factor, values in factors.items()
            for value in values
        ]
    )


POINTS = points_of(**{"lambda": [0, 0.1]}, eta_dpp=[0, 30, 100], mu_dm=[10])


def point(variant, *by_student, student="net", **cell):
    """Trainings at one point: by student seed, (top-1 of sampling seed 0, of seed 1)."""
    where = {**CELL, "variant": variant, "student": student, "protocol": "p", **cell}
    if not by_student:
        return [run_row(where)]
    return [
        run_row(where, seed, k, top1)
        for k, values in enumerate(by_student)
        for seed, top1 in enumerate(values)
    ]


def swept():
    runs = pd.DataFrame(
        [
            # As in the main table, a second student of each set: the mean of both is 50.
            *point(TABLE, (89.0, 91.0), (9.0, 11.0)),
            *point("lambda~0", (84.0, 86.0)),
            *point("eta_dpp~0", (68.0, 72.0)),
            *point("eta_dpp~30"),
            *point("eta_dpp~55", (2.0, 2.0)),  # a value that is not asked for
            *point("eta_dpp~0", (3.0, 3.0), ipc=1),  # and an IPC
            *point(TABLE, (4.0, 4.0), method="dit"),  # and a method
            *point(TABLE, (99.0, 99.0), method="full", ipc="all"),
            *point(TABLE, (95.0, 95.0), student="wide"),  # the table's value alone
        ]
    )
    cells = runs[["dataset", "method", "ipc", "variant"]].drop_duplicates()
    diversity = pd.concat([cells.assign(coverage=c, status="measured") for c in (0.1, 0.3)])
    return sweep_rows(runs, diversity, POINTS)


def test_a_sweep_varies_one_factor_and_takes_in_the_tables_value():
    rows = swept()
    points = [*zip(rows.factor, rows.value, rows.top1_last_mean.fillna(-1), strict=True)]
    assert points == [
        ("lambda", 0, 85),
        ("lambda", 0.1, 90),
        ("eta_dpp", 0, 70),
        ("eta_dpp", 30, -1),
        ("eta_dpp", 100, 90),
        ("mu_dm", 10, 90),
    ]
    assert rows.at_table.tolist() == [False, True, False, False, True, True]


def test_every_point_of_a_sweep_is_of_the_students_that_all_points_have():
    rows = swept()
    measured = rows[rows.status == "measured"]
    assert measured.n_students.tolist() == [1] * 5
    assert measured.n_seeds.tolist() == [2] * 5
    of = measured.drop_duplicates("top1_last_mean").set_index("top1_last_mean").top1_last_std
    assert of.to_dict() == pytest.approx({85: 2**0.5, 90: 2**0.5, 70: 8**0.5})
    assert rows[rows.status == "missing"].n_students.isna().all()


def test_a_sweep_whose_points_all_have_two_students_keeps_both():
    runs = pd.DataFrame(
        [
            *point(TABLE, (89.0, 91.0), (9.0, 11.0)),
            *point("lambda~0", (80.0, 82.0), (20.0, 22.0)),
        ]
    )
    none = runs.assign(coverage=NAN, status="missing")
    rows = sweep_rows(runs, none, points_of(**{"lambda": [0, 0.1]}))
    assert rows.n_students.tolist() == [2, 2]
    assert rows.top1_last_mean.tolist() == [51, 50]


def test_a_sweep_of_which_nothing_is_measured_says_so():
    runs = pd.DataFrame([*point(TABLE), *point("lambda~0")])
    with pytest.raises(DataError, match="no row of them is measured"):
        sweep_rows(runs, runs.assign(coverage=NAN), POINTS)


def test_an_option_of_a_term_is_a_number_like_a_weight():
    runs = pd.DataFrame([*point(TABLE, (50.0, 52.0)), *point("dpp.epsilon~0.1", (40.0, 42.0))])
    light = runs.assign(coverage=0.5)
    rows = sweep_rows(runs, light, points_of(**{"dpp.epsilon": [0.1, 0.001]}))
    assert rows[["factor", "value", "top1_last_mean"]].to_numpy().tolist() == [
        ["dpp.epsilon", 0.001, 51],
        ["dpp.epsilon", 0.1, 41],
    ]


def test_coverage_of_a_sweep_is_over_sampling_seeds():
    rows = swept()
    assert rows.coverage_mean.tolist() == pytest.approx([0.2] * 6)
    assert rows.coverage_std.tolist() == pytest.approx([0.02**0.5] * 6)


def test_a_point_that_failed_is_not_drawn_and_is_named():
    rows = swept()
    assert sweep_left_out(rows) == "missing: eta_dpp = 30 (toy)"
    figure = sensitivity_figure(rows, LABELS, "title", sweep_left_out(rows))
    assert figure.get_supxlabel() == "missing: eta_dpp = 30 (toy)"
    line, ring = figure.axes[1].lines
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0, 100], [70, 90])
    assert list(ring.get_xdata()) == [100]


def test_a_column_of_panels_a_factor_with_every_value_on_its_axis(tmp_path):
    figure = sensitivity_figure(swept(), LABELS, "title")
    figure.canvas.draw()
    labels = [[t.get_text() for t in axes.get_xticklabels()] for axes in figure.axes[3:]]
    assert labels == [["0", "0.1"], ["0", "30", "100"], ["10"]]
    assert [axes.get_xlabel() for axes in figure.axes[3:]] == ["λ", "η", "μ"]
    save_figure(figure, [tmp_path / "s.png"])
    assert (tmp_path / "s.png").stat().st_size > 0
