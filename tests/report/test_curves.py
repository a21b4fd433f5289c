"""Figures of accuracy: what is drawn, what is left out, and that the page says so."""

import pandas as pd
import pytest

from lighthouse.report.curve_figures import cost_figure, ipc_figure
from lighthouse.report.curves import (
    by_cost,
    by_ipc,
    far_below,
    fullest_ipc,
    left_out,
    told_below,
)
from lighthouse.report.figures import plt
from lighthouse.report.looks import FAMILIES, family, looks
from lighthouse.runtime.errors import DataError

PAPERS = {"of_others": False, "ours": False}
METHODS = [
    {"name": "random", "label": "Random", "coreset": "random"},
    {"name": "dit", "label": "DiT", "prior": "base", "guidance": [], **PAPERS},
    {"name": "joint", "label": "Joint", "prior": "rsm", "guidance": ["dpp", "mean"], **PAPERS},
]
NAN = float("nan")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def row(method, ipc, top1, status="measured", dataset="toy", student="net"):
    labels = {m["name"]: m["label"] for m in METHODS} | {
        "full": "All real",
        "reconstructed": "Reconstructed",
    }
    return {
        "dataset": dataset,
        "protocol": "p",
        "student": student,
        "ipc": ipc,
        "method": method,
        "label": labels[method],
        "status": status,
        "n_seeds": 2,
        "n_students": 2,
        "top1_mean": top1,
        "top1_std": 1.0,
        "seconds_per_image": 0.5,
        "tuning_seconds": 0.0,
    }


def board():
    """Three methods at IPC 1 and 10, of which joint failed at 10; and the ceiling."""
    return pd.DataFrame(
        [
            row("random", 1, 50.0),
            row("random", 10, 80.0),
            row("dit", 1, 60.0),
            row("dit", 10, 85.0),
            row("joint", 1, 70.0),
            row("joint", 10, NAN, "missing"),
            row("full", "all", 99.0),
        ]
    )


def cost(**changed):
    """Two classes and two seeds; random is one set, dit holds one file at IPC 10."""
    rows = [
        {
            "dataset": "toy",
            "method": method,
            "ipc": ipc,
            "classes": 2,
            "base_seconds": base,
            "preparation_seconds": preparation,
            "tuning_seconds": 0.0,
            "seconds_per_image": seconds,
            "images": images,
            "status": "measured",
        }
        for method, ipc, base, preparation, seconds, images in (
            ("random", 1, NAN, 3.0, 0.001, 20),
            ("random", 10, NAN, 3.0, 0.001, 20),
            ("dit", 1, 6.0, 0.0, 0.2, 40),
            ("dit", 10, 6.0, 0.0, 0.2, 40),
            ("joint", 1, 6.0, 4.0, 0.3, 4),
        )
    ]
    return pd.DataFrame(rows).assign(**changed)


# How methods look.


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ({"coreset": "herding", "prior": None, "guidance": []}, "real images"),
        ({"coreset": None, "prior": "base", "guidance": []}, "base prior"),
        ({"prior": "base", "guidance": ["mode"], "of_others": True}, "methods of others"),
        ({"prior": "minimax", "guidance": [], "of_others": True}, "methods of others"),
        ({"prior": "base", "guidance": ["dpp", "mean"]}, "RSM and CGS"),
        ({"prior": "control", "guidance": []}, "RSM and CGS"),
        ({"prior": "rsm", "guidance": ["support"], "ours": True}, "support points (ours)"),
        ({"coreset": None, "prior": None}, "other sets"),
    ],
)
def test_a_methods_family_follows_from_what_it_is_composed_of(method, expected):
    assert family({**PAPERS, **method}) == expected


def test_no_two_methods_look_alike():
    priors = ("base", "minimax", "rsm")
    rows = [
        {"name": f"{prior}{i}", "label": "", "prior": prior}
        | PAPERS
        | {"of_others": prior == "minimax"}
        for prior in priors
        for i in range(9)
    ]
    seen = {(look.colour, look.marker, look.dash) for look in looks(rows).values()}
    assert len(seen) == len(rows)


def test_no_colour_stands_for_two_families():
    colours = [colour for family_colours in FAMILIES.values() for colour in family_colours]
    assert len(set(colours)) == len(colours)


# Against IPC.


def test_only_measured_rows_are_drawn_against_ipc():
    data = by_ipc(board())
    assert [*zip(data.method, data.ipc.astype(str), strict=True)] == [
        ("random", "1"),
        ("random", "10"),
        ("dit", "1"),
        ("dit", "10"),
        ("joint", "1"),
        ("full", "all"),
    ]


def test_rows_without_figures_are_named_with_their_reason():
    rows = pd.concat([board(), pd.DataFrame([row("dit", 50, NAN, "not run")])])
    assert left_out(rows) == "missing: Joint (IPC 10). not run: DiT (IPC 50)."


def test_several_datasets_are_told_apart_in_the_note_and_students_are_not():
    rows = [row("dit", 1, NAN, "missing", d, s) for d in ("a", "b") for s in ("net", "wide")]
    note = left_out(pd.DataFrame(rows))
    assert note == "missing: DiT (a, IPC 1); DiT (b, IPC 1)."


def test_nothing_left_out_gives_no_note():
    assert left_out(by_ipc(board()).assign(status="measured")) == ""


def lines_of(axes):
    """Label → (x, y) of what ``errorbar`` drew."""
    return {
        bars.get_label(): (bars.lines[0].get_xdata(), bars.lines[0].get_ydata())
        for bars in axes.containers
    }


def test_the_ipc_figure_has_a_line_a_method_at_the_means_it_is_given():
    (axes,) = ipc_figure(by_ipc(board()), METHODS).axes
    lines = lines_of(axes)
    assert {label: list(y) for label, (_, y) in lines.items()} == {
        "Random": [50, 80],
        "DiT": [60, 85],
        "Joint": [70],
    }
    for x, y in lines.values():
        assert list(x) == pytest.approx([1, 10][: len(y)], rel=0.1)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "10"]


def test_the_ceiling_is_a_line_across_with_its_figure():
    (axes,) = ipc_figure(by_ipc(board()), METHODS).axes
    assert [text.get_text() for text in axes.texts] == ["All real: 99.0"]
    assert [99.0, 99.0] in [list(line.get_ydata()) for line in axes.lines]


def test_of_two_ceilings_the_lower_one_has_its_figure_below_its_line():
    both = pd.concat([board(), pd.DataFrame([row("reconstructed", "all", 98.5)])])
    (axes,) = ipc_figure(by_ipc(both), METHODS).axes
    told = {text.get_text(): text.get_va() for text in axes.texts}
    assert told == {"All real: 99.0": "bottom", "Reconstructed: 98.5": "top"}


def test_the_note_is_in_the_figure():
    figure = ipc_figure(by_ipc(board()), METHODS, left_out(board()))
    assert figure.get_supxlabel() == "missing: Joint (IPC 10)."


def test_the_legend_names_every_method_once_below_its_family():
    figure = ipc_figure(by_ipc(board()), METHODS)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "real images",
        "Random",
        "base prior",
        "DiT",
        "RSM and CGS",
        "Joint",
    ]


def test_a_method_that_the_figure_does_not_know_is_refused_rather_than_dropped():
    with pytest.raises(ValueError, match="no look for joint"):
        ipc_figure(by_ipc(board()), METHODS[:2])


def test_every_dataset_student_and_protocol_has_its_panel():
    rows = pd.concat([board().assign(student=student) for student in "abcd"])
    figure = ipc_figure(by_ipc(rows), METHODS)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == [f"toy, {s}, protocol p" for s in "abcd"]


def test_a_panel_of_a_ceiling_alone_is_left_out():
    alone = board().assign(student="wide")
    alone.loc[alone.method != "full", "status"] = "missing"
    assert set(by_ipc(pd.concat([board(), alone])).student) == {"net"}


def test_a_leaderboard_without_figures_says_so():
    for pick in (by_ipc, lambda rows: by_cost(rows, cost())):
        with pytest.raises(DataError, match="no row of the leaderboard is measured"):
            pick(board().assign(status="missing"))


# Against cost.


def test_the_fullest_ipc_is_the_largest_of_those_with_most_methods():
    rows = board()
    assert fullest_ipc(rows[rows.status == "measured"]) == 1
    assert fullest_ipc(rows) == 10


def test_time_in_all_spreads_training_over_one_set():
    data, _ = by_cost(board(), cost())
    of = data.set_index("method")
    assert set(of.ipc) == {"1", "all"}
    assert of.seconds_per_image["joint"] == 0.3
    assert of.seconds_in_all["joint"] == pytest.approx(0.3 + 10 / 2)
    assert of.seconds_in_all["dit"] == pytest.approx(0.2 + 6 / 2)
    assert of.seconds_in_all["random"] == pytest.approx(0.001 + 3 / 2)
    assert of.seconds_in_all["full"] != of.seconds_in_all["full"]


def test_the_tuning_of_weights_is_part_of_the_time_in_all():
    costs = cost()
    costs.loc[costs.method == "joint", "tuning_seconds"] = 5.0
    of = by_cost(board(), costs)[0].set_index("method").seconds_in_all
    assert of["joint"] == pytest.approx(0.3 + (10 + 5) / 2)
    assert of["dit"] == pytest.approx(0.2 + 6 / 2)


def test_training_is_spread_over_one_set_however_many_images_the_file_holds():
    spread = by_cost(board(), cost(), ipc=10)[0].set_index("method").seconds_in_all
    assert spread["random"] == pytest.approx(0.001 + 3 / (10 * 2))
    assert spread["dit"] == pytest.approx(0.2 + 6 / (10 * 2))
    other = by_cost(board(), cost(images=7, classes=5), ipc=10)[0].set_index("method")
    assert other.seconds_in_all["dit"] == pytest.approx(0.2 + 6 / (10 * 5))


def test_a_set_made_elsewhere_is_left_out_and_changes_no_other_cost():
    given = {**row("random", 1, 55.0), "method": "mine", "label": "Mine"}
    own = {**cost().iloc[0], "method": "mine", "seconds_per_image": NAN, "images": NAN}
    data, absent = by_cost(
        pd.concat([board(), pd.DataFrame([given])]), pd.concat([cost(), pd.DataFrame([own])])
    )
    assert left_out(absent) == "no cost measured: Mine (IPC 1)."
    assert data.equals(by_cost(board(), cost())[0])


def test_a_method_without_a_cost_is_left_out_and_named():
    costs = cost()
    costs.loc[costs.method == "dit", ["seconds_per_image", "status"]] = [NAN, "missing"]
    data, absent = by_cost(board(), costs[costs.method != "random"])
    assert set(data.method) == {"joint", "full"}
    assert left_out(absent) == "missing: DiT (IPC 1). no cost measured: Random (IPC 1)."


def test_at_an_ipc_that_is_asked_for_what_failed_there_is_named():
    data, absent = by_cost(board(), cost(), ipc=10)
    assert set(data.method) == {"random", "dit", "full"}
    assert left_out(absent) == "missing: Joint (IPC 10)."


def test_the_cost_figure_has_a_mark_for_every_method_at_its_time():
    (axes,) = cost_figure(by_cost(board(), cost())[0], METHODS).axes
    marks = {label: (x[0], y[0]) for label, (x, y) in lines_of(axes).items()}
    assert marks == {"Random": (0.001, 50), "DiT": (0.2, 60), "Joint": (0.3, 70)}
    assert axes.get_title() == "toy, net, protocol p, IPC 1"


@pytest.mark.parametrize(
    ("means", "below"),
    [
        ([[86.0], [92.0], [84.0], [1.9]], [1.9]),
        ([[63.7, 86.2, 92.2], [79.5], [76.9], [6.5, 1.9, 4.3]], [6.5, 1.9, 4.3]),
        ([[40.1], [43.5], [8.4], [9.1]], []),  # a prior that is of no use: not a few
        ([[20.0], [40.0], [60.0], [80.0]], []),
        ([[50.0], [10.0]], []),
        ([[50.0], [50.0], [50.0], [50.0]], []),
    ],
)
def test_few_that_lie_farther_below_than_all_else_lies_apart_are_below_the_axis(means, below):
    pairs = [(f"m{n}", mean) for n, own in enumerate(means) for mean in own]
    rows = pd.DataFrame(pairs, columns=["method", "top1_mean"])
    assert far_below(rows).top1_mean.tolist() == below


def test_a_method_far_below_leaves_the_axis_to_the_others_and_is_told():
    rows = by_ipc(board())
    others = [rows.assign(method=f"m{n}", label=f"M {n}", top1_mean=60.0 + n) for n in range(4)]
    data = pd.concat([*others, rows.assign(method="low", label="Low", top1_mean=1.0)])
    methods = [{**METHODS[0], "name": name} for name in data.method.unique()]
    figure = ipc_figure(data, methods)
    for axes in figure.axes:
        assert 1.0 < axes.get_ylim()[0] < 60
    assert "below the axis: Low (1.0" in " ".join(figure.get_supxlabel().split())
    assert ipc_figure(pd.concat(others), methods).get_supxlabel() == ""
    assert told_below(rows[:0]) == ""
