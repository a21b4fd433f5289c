"""The lighthouse figure: what its panels show, what its titles say, what it leaves out."""

import numpy as np
import pandas as pd
import pytest

from lighthouse.metrics.strategies import claim, claims
from lighthouse.report.figures import plt
from lighthouse.report.strategies_figure import (
    seed_points,
    spread,
    strategies,
    strategies_figure,
    verdict,
)
from lighthouse.runtime.files import without_nan
from toy_strategies import toy_maps, toy_rows


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def toy_tables(dataset="toy"):
    rows = [*toy_rows("a"), *toy_rows("b")]
    tests = pd.DataFrame(claims(dataset, rows))
    measures = pd.DataFrame(rows).assign(dataset=dataset)
    return measures, toy_maps().assign(dataset=dataset), tests


def test_the_figure_shows_means_over_classes_by_seed():
    measures, _, _ = toy_tables()
    shown = seed_points(measures)
    joint = shown[shown.strategy == "joint"]
    expected = measures[measures.strategy == "joint"].groupby("seed").log_det.mean()
    assert joint.log_det.tolist() == pytest.approx(expected.tolist())
    assert len(shown) == 12


def test_means_over_classes_are_the_same_after_a_file(tmp_path):
    measures, _, _ = toy_tables()
    measures.to_csv(tmp_path / "m.csv", index=False)
    again = seed_points(pd.read_csv(tmp_path / "m.csv"))
    assert again.log_det.tolist() == pytest.approx(seed_points(measures).log_det.tolist())
    assert again.strategy.tolist() == seed_points(measures).strategy.tolist()


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


def test_the_maps_show_the_sets_and_what_each_of_them_lights():
    measures, drawn, tests = toy_tables()
    figure = strategies_figure(seed_points(measures), drawn, tests)
    sequential, joint, both = panels_of(figure)[:3]
    of = drawn[drawn.panel == "class"]
    for axes, kind in ((sequential, "sequential"), (joint, "joint")):
        (line,) = axes.lines
        assert line.get_xdata().tolist() == of[of.kind == kind].x.tolist()
        dark, lit = (len(c.get_offsets()) for c in axes.collections)
        expected = of[of.kind == "real"].lit_by.str.contains(kind).sum()
        assert (dark, lit) == ((of.kind == "real").sum() - expected, expected)
    assert [line.get_label() for line in both.lines] == ["sequential", "joint"]


def test_the_lower_panels_show_every_seed_and_every_pick():
    measures, drawn, tests = toy_tables()
    shown = seed_points(measures)
    axes = panels_of(strategies_figure(shown, drawn, tests))[3]
    seeds = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert len(seeds) == 2
    first = shown[(shown.seed == 0)].set_index("strategy").log_det
    expected = [first[kind] for kind in ("iid", "sequential", "joint")]
    assert seeds[0].get_ydata().tolist() == pytest.approx(expected)
    labels = {text.get_text() for text in axes.texts}
    assert labels == {"pool: best of random", "pool: greedy subset", "pool: greedy and swaps"}
    assert "joint − sequential" in axes.get_title()


def test_every_dataset_has_its_five_panels():
    tables = [pd.concat(parts) for parts in zip(toy_tables(), toy_tables("other"), strict=True)]
    tables[0] = seed_points(tables[0])
    assert len(panels_of(strategies_figure(*tables))) == 10


@pytest.mark.parametrize(
    ("differences", "text"),
    [
        ([1.0, 1.1, 0.9], "joint − sequential: +1, higher\n(95 %: +0.752 to +1.25, p = 0.0033)"),
        ([-1.0, -1.1, -0.9], "joint − sequential: −1, lower\n(95 %: −1.25 to −0.752, p = 0.0033)"),
        ([1.0], "joint − sequential: +1, not distinguishable\n(1 seed)"),
        ([0.0, 0.0, 0.0], "joint − sequential: +0, not distinguishable\n(3 seeds)"),
    ],
)
def test_the_title_says_what_the_test_found(differences, text):
    test = {"measure": "log_det", "comparison": "joint - sequential"}
    rows = pd.DataFrame([{**test, **claim(np.array(differences))}])
    assert verdict(rows, "log_det") == text


def test_labels_are_moved_apart_only_where_they_would_touch():
    assert spread([0.0, 5.0, 5.2], 1.0) == pytest.approx([0, 4.6, 5.6])
    assert spread([3.0, 1.0], 1.0) == [3.0, 1.0]
    assert spread([1.0, 1.0, 1.0], 2.0) == pytest.approx([-1, 1, 3])
    assert spread([], 1.0) == []


def test_a_dataset_without_its_record_is_left_out_and_named():
    measures, places, tests = (of.to_dict("records") for of in toy_tables())
    record = without_nan({"classes": measures, "tests": tests, "map": places})
    made = strategies([record, None], ["toy", "other"])
    assert {row["dataset"] for row in made["data"].rows} == {"toy"}
    assert {row["dataset"] for row in made["map"].rows} == {"toy"}
    assert made["figure"].get_supxlabel() == "missing: other"
