"""The lighthouse figure: what its panels show, what its titles say, what it leaves out."""

import numpy as np
import pandas as pd
import pytest

from lighthouse.metrics.strategies import claim, claims
from lighthouse.report.figures import plt
from lighthouse.report.records import Stored
from lighthouse.report.strategies_figure import (
    looks,
    seed_points,
    spread,
    strategies,
    strategies_figure,
    verdict,
    verdicts,
)
from lighthouse.runtime.files import without_nan, write_arrays
from toy_strategies import toy_images, toy_map, toy_rows

#: A method beside the strategies, and the label under which it is shown.
BESIDE = {"support": "Support points"}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def toy_tables(dataset="toy", beside=()):
    rows = [*toy_rows("a", beside), *toy_rows("b", beside)]
    tests = pd.DataFrame(claims(dataset, rows, {0: 0, 1: 1}))
    measures = pd.DataFrame(rows).assign(dataset=dataset)
    return measures, toy_map(beside).assign(dataset=dataset), tests


def toy_figure(labels=BESIDE, images=None):
    """The figure of one dataset, with its points and its map."""
    measures, places, tests = toy_tables(beside=labels)
    shown = seed_points(measures)
    images = {"toy": images or toy_images(labels, real=99)}
    return strategies_figure(shown, places, tests, images, looks(labels)), shown, places


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
    """Maps with the strips below each, the strip of real images, panels of utility."""
    panels = [axes for axes in figure.axes if axes.get_visible()]
    return panels[:-3:2], panels[1:-3:2], panels[-3], panels[-2:]


@pytest.mark.parametrize("labels", [{}, BESIDE])
def test_the_maps_show_the_sets_and_what_each_of_them_lights(labels):
    figure, _, places = toy_figure(labels)
    maps, *_ = panels_of(figure)
    titles = [axes.get_title() for axes in maps]
    assert titles == ["sequential", "joint", *labels.values()]
    real = places[places.kind == "real"]
    for axes, kind in zip(maps, ("sequential", "joint", *labels), strict=True):
        (line,) = axes.lines
        assert line.get_xdata().tolist() == places[places.kind == kind].x.tolist()
        dark, lit = (len(c.get_offsets()) for c in axes.collections)
        expected = real.lit_by.str.split("+").map(lambda kinds, kind=kind: kind in kinds).sum()
        assert (dark, lit) == (len(real) - expected, expected)
        assert axes.get_xlabel() == f"lights {100 * expected / len(real):.0f} % of the real images"
        assert (axes.get_xlim(), axes.get_ylim()) == (maps[0].get_xlim(), maps[0].get_ylim())


def strip_of(axes):
    """The images of a strip of 4 px, (n, 4, 4, 3)."""
    pixels = axes.images[0].get_array()
    starts = [x for x in range(pixels.shape[1]) if (x == 0) or (pixels[:, x - 1] == 255).all()]
    starts = [x for x in starts if not (pixels[:, x] == 255).all()]
    return np.stack([pixels[:, x : x + 4] for x in starts])


def test_below_each_map_are_the_images_of_its_set_and_below_all_real_ones():
    images = toy_images(BESIDE, real=99)
    _, strips, real, _ = panels_of(toy_figure(images=images)[0])
    for axes, kind in zip(strips, ("sequential", "joint", "support"), strict=True):
        assert np.array_equal(strip_of(axes), images[kind].transpose(0, 2, 3, 1))
    assert np.array_equal(strip_of(real), images["real"][:6].transpose(0, 2, 3, 1))
    assert real.get_title() == "real images of class b"


def test_a_class_of_few_real_images_shows_all_it_has():
    images = toy_images(BESIDE, real=1)
    *_, real, _ = panels_of(toy_figure(images=images)[0])
    assert np.array_equal(strip_of(real), images["real"].transpose(0, 2, 3, 1))


def test_the_lower_panels_show_every_seed_and_every_pick():
    figure, shown, _ = toy_figure()
    axes, _ = panels_of(figure)[-1]
    kinds = ["iid", "sequential", "joint", "support"]
    seeds = [line for line in axes.lines if len(line.get_xdata()) == len(kinds)]
    assert len(seeds) == 2
    first = shown[(shown.seed == 0)].set_index("strategy").log_det
    assert seeds[0].get_ydata().tolist() == pytest.approx([first[kind] for kind in kinds])
    labels = {text.get_text() for text in axes.texts}
    assert labels == {"pool: best of random", "pool: greedy subset", "pool: greedy and swaps"}
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert ticks == ["iid", "sequential", "joint", "Support\npoints"]


def test_above_a_panel_are_the_tests_of_what_is_shown_on_the_maps():
    tests = toy_tables(beside=BESIDE)[2]
    lines = verdicts(tests, "coverage", looks(BESIDE)).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "joint − sequential",
        "Support points − joint",
        "Support points − sequential",
    ]
    rows = tests[tests.measure == "coverage"].set_index("comparison")
    assert lines[2].endswith(verdict(rows.loc["support - sequential"]))


def test_every_dataset_has_its_panels():
    tables = [pd.concat(parts) for parts in zip(toy_tables(), toy_tables("other"), strict=True)]
    tables[0] = seed_points(tables[0])
    images = {"toy": toy_images(), "other": toy_images()}
    assert len(strategies_figure(*tables, images, looks({})).axes) == 2 * 7


@pytest.mark.parametrize(
    ("differences", "text"),
    [
        ([1.0, 1.1, 0.9], "+1, higher (p = 0.0033)"),
        ([-1.0, -1.1, -0.9], "−1, lower (p = 0.0033)"),
        ([1.0], "+1, not tested (1 seed)"),
        ([0.0, 0.0, 0.0], "+0, not distinguishable (3 seeds)"),
    ],
)
def test_a_line_above_a_panel_says_what_the_test_found(differences, text):
    assert verdict(claim(np.array(differences))) == text


def test_labels_are_moved_apart_only_where_they_would_touch():
    assert spread([0.0, 5.0, 5.2], 1.0) == pytest.approx([0, 4.6, 5.6])
    assert spread([3.0, 1.0], 1.0) == [3.0, 1.0]
    assert spread([1.0, 1.0, 1.0], 2.0) == pytest.approx([-1, 1, 3])
    assert spread([], 1.0) == []


@pytest.mark.parametrize("lost", ["record", "images"])
def test_a_dataset_without_its_record_or_images_is_left_out_and_named(lost, tmp_path):
    measures, places, tests = (of.to_dict("records") for of in toy_tables(beside=BESIDE))
    record = without_nan({"classes": measures, "tests": tests, "map": places})
    write_arrays(tmp_path / "shown", toy_images(BESIDE), {})
    images = Stored(str(tmp_path / "shown"))
    of_other = (None, images) if lost == "record" else (record, None)
    made = strategies(*zip((record, images), of_other, strict=True), ["toy", "other"], BESIDE)
    assert {row["dataset"] for row in made["data"].rows} == {"toy"}
    assert {row["dataset"] for row in made["map"].rows} == {"toy"}
    assert "support" in {row["strategy"] for row in made["data"].rows}
    assert made["figure"].get_supxlabel() == "missing: other"


def test_hidden_images_are_not_in_the_figure(tmp_path):
    measures, places, tests = (of.to_dict("records") for of in toy_tables(beside=BESIDE))
    record = without_nan({"classes": measures, "tests": tests, "map": places})
    write_arrays(tmp_path / "shown", toy_images(BESIDE, real=99), {})
    stored = Stored(str(tmp_path / "shown"))
    figure = strategies([record], [stored], ["toy"], BESIDE, ["real", "support"])["figure"]
    strips = [axes for axes in figure.axes if axes.images]
    assert len(strips) == 3
    assert [(axes.images[0].get_array() == 255).all() for axes in strips] == [False, False, True]
    assert not any("real images of" in axes.get_title() for axes in figure.axes)
