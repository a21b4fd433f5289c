"""The figure of how base priors learned, by what their trainings took."""

from lighthouse.report.figures import plt
from lighthouse.report.prior_loss import COLUMNS, prior_loss

ROWS = [{"dataset": "toy", "prior": "base", "replicate": r, "cost": f"{r}"} for r in (0, 1)]
RECORD = {"looks": [[10, 0.9], [20, 0.5], [24, 0.45]], "steps": 24, "ended_by": "flat"}


def made(records):
    found = prior_loss(records, ROWS)
    plt.close("all")
    return found


def test_every_look_is_a_point_of_its_replicates_line():
    found = made([RECORD, {**RECORD, "looks": [[10, 0.8], [20, 0.6]], "ended_by": "step budget"}])
    rows = found["data"].rows
    assert [tuple(row[name] for name in COLUMNS[2:]) for row in rows] == [
        *[(0, 10, 0.9), (0, 20, 0.5), (0, 24, 0.45)],
        *[(1, 10, 0.8), (1, 20, 0.6)],
    ]
    lines = found["figure"].axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[0.9, 0.5, 0.45], [0.8, 0.6]]
    note = found["figure"].get_supxlabel().replace("\n", " ")
    assert "toy, replicate 0: 24 steps, ended by: flat." in note
    assert "ended by: step budget" in note


def test_the_axis_shows_whether_the_loss_still_falls():
    falling = [[250, 0.75], [500, 0.41], [750, 0.18], [1000, 0.17], [1250, 0.165]]
    figure = made([{**RECORD, "looks": falling}] * 2)["figure"]
    bottom, top = figure.axes[0].get_ylim()
    assert bottom < 0.165 and 0.18 < top < 0.25


def test_a_training_that_failed_is_told():
    found = made([RECORD, None])
    assert {row["replicate"] for row in found["data"].rows} == {0}
    assert "missing: toy, replicate 1" in found["figure"].get_supxlabel()


def test_of_no_training_there_is_an_empty_figure():
    assert made([None, None])["data"].rows == []
