"""The figure of strategies: sets as lighthouses on the coast of real images, and their utility."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from lighthouse.report.classes import spoken
from lighthouse.report.contact_sheets import canvas, first_images, thumbnails
from lighthouse.report.figures import STYLE, drawn, footnote, missing, plt
from lighthouse.report.measures import rows_of
from lighthouse.report.records import Stored


class Look(NamedTuple):
    """How a strategy's images are named and marked. size: of the marker, in points."""

    label: str
    colour: str
    marker: str
    size: float


#: The strategies, in the order of panels.
STRATEGIES = {
    "iid": Look("iid", "#595959", "o", 5),
    "sequential": Look("sequential", "#D55E00", "D", 6),
    "joint": Look("joint", "#0072B2", "*", 11),
}
#: Colours, markers and sizes of the methods beside them, one after the other.
BESIDE = (("#009E73", "s", 6.5), ("#CC79A7", "^", 7.5), ("#56B4E9", "P", 8))
LIT, DARK = "#E8AE1B", "#C9CDD2"
#: In inches, the width of up to four maps, and the heights of one and of the panels below.
WIDTH, MAP, UTILITY = 10.5, 3.0, 3.3
TITLES = {
    "log_det": "log det(K + εI) of latents",
    "coverage": "coverage of real images",
}
#: Dashes of what was picked from the pool.
DASHES = {"best of random": ":", "greedy subset": "--", "greedy and swaps": "-."}

#: The images of the dataset, among those of sets.
REAL = "real"


def strategies(
    records: Sequence[Mapping | None],
    images: Sequence[Stored | None],
    datasets: Sequence[str],
    labels: Mapping[str, str],
    hidden: Sequence[str] = (),
) -> dict:
    """The figure of all ``datasets``, from what was measured of each; a missing one is named.

    images: of one class, ``real`` ones and some of each set that is mapped. labels: of the
    methods beside the strategies, by name. hidden: of these images, those that are not shown.
    """
    found = [record if of else None for record, of in zip(records, images, strict=True)]
    there = [record for record in found if record is not None]
    measures, tests, places = (
        pd.DataFrame([row for record in there for row in rows_of(record, part)])
        for part in ("classes", "tests", "map")
    )
    pictures = {
        dataset: _shown(of.arrays(), hidden)
        for dataset, record, of in zip(datasets, found, images, strict=True)
        if record is not None
    }
    points, note = seed_points(measures), missing(found, datasets)
    figure = strategies_figure(points, places, tests, pictures, looks(labels), note)
    return drawn(figure, points, map=places)


def _shown(images: Mapping[str, np.ndarray], hidden: Sequence[str]) -> dict[str, np.ndarray]:
    """Images by kind without the hidden ones: no real ones, white ones of a set on a map."""
    return {
        kind: np.full_like(of, 255) if kind in hidden else of
        for kind, of in images.items()
        if kind not in hidden or kind != REAL
    }


def looks(labels: Mapping[str, str]) -> dict[str, Look]:
    """Of each strategy, and of the methods beside them by name, in the order of panels."""
    beside = zip(labels.items(), BESIDE, strict=False)
    return STRATEGIES | {name: Look(label, *mark) for (name, label), mark in beside}


def seed_points(measures: pd.DataFrame) -> pd.DataFrame:
    """Means over classes: what the lower panels show.

    measures: ``dataset``, ``ipc``, ``strategy``, ``chosen_by``, ``seed``, ``class``,
    ``log_det``, ``coverage``. One row a set of seeds, ``seed`` and ``chosen_by`` empty where
    they do not apply.
    """
    by = ["dataset", "ipc", "strategy", "chosen_by", "seed"]
    return (
        measures.groupby(by, sort=False, dropna=False)[["log_det", "coverage"]].mean().reset_index()
    )


def spread(values: Sequence[float], gap: float) -> list[float]:
    """The values, those nearer to each other than ``gap`` moved apart around their mean."""
    groups: list[list[int]] = []

    def places(group: list[int]) -> list[float]:
        centre = sum(values[i] for i in group) / len(group)
        return [centre + gap * (k - (len(group) - 1) / 2) for k in range(len(group))]

    for i in sorted(range(len(values)), key=lambda i: values[i]):
        groups.append([i])
        while len(groups) > 1 and places(groups[-1])[0] < places(groups[-2])[-1] + gap:
            last = groups.pop()
            groups[-1] += last
    placed = {i: at for group in groups for i, at in zip(group, places(group), strict=True)}
    return [placed[i] for i in range(len(values))]


def strategies_figure(
    points: pd.DataFrame,
    maps: pd.DataFrame,
    tests: pd.DataFrame,
    images: Mapping[str, Mapping[str, np.ndarray]],
    looks: Mapping[str, Look],
    note: str = "",
) -> Figure:
    """Of each dataset the maps of one class, its images below them, and the utility of all.

    points: of ``seed_points``; maps, tests: the tables of ``metrics.projection`` and of
    ``metrics.strategies.claims``. images: by dataset and then by ``kind`` of the map,
    (n, 3, H, W). note: a line at the bottom, or none.
    """
    first = next(iter(images.values()))
    mapped = [kind for kind in looks if kind in first]
    width = max(WIDTH, WIDTH / 4 * len(mapped))
    # One strip of images or two, each as high as it is wide.
    rows = [MAP, *[width / len(mapped) / len(first[mapped[0]])] * (1 + (REAL in first))]
    # Titles and legend above; below, two lines for the tests of each method.
    heights = [sum(rows) + 1, UTILITY + 0.3 * (len(looks) - len(STRATEGIES))]
    with plt.rc_context(STYLE):
        size = (width, sum(heights) * len(images))
        figure = plt.figure(figsize=size, layout="constrained")
        blocks = figure.subfigures(len(images), 1, squeeze=False)[:, 0]
        for block, (dataset, pictures) in zip(blocks, images.items(), strict=True):
            own, places, tested = (t[t.dataset == dataset] for t in (points, maps, tests))
            mapped_class = spoken(places["class"].iloc[0])
            parts = f"{mapped_class} above, means over all classes below"
            title = f"{dataset}, {own.ipc.iloc[0]} images per class: {parts}"
            block.suptitle(title, fontsize=12)
            above, below = block.subfigures(2, 1, height_ratios=heights)
            _shores(above, places, pictures, {kind: looks[kind] for kind in mapped}, rows)
            for axes, measure in zip(below.subplots(1, 2), TITLES, strict=True):
                utility_panel(axes, own, tested, measure, looks)
        footnote(figure, note)
    return figure


def _shores(
    block: SubFigure,
    data: pd.DataFrame,
    images: Mapping[str, np.ndarray],
    looks: Mapping[str, Look],
    heights: Sequence[float],
) -> None:
    """The map of each strategy, the images of its set below it, and real ones, if any, below."""
    shown = max(len(images[kind]) for kind in looks)
    grid = block.add_gridspec(len(heights), len(looks), height_ratios=heights)
    for column, (kind, look) in enumerate(looks.items()):
        shore_panel(block.add_subplot(grid[0, column]), data, kind, look)
        strip_panel(block.add_subplot(grid[1, column]), images[kind], shown)
    if REAL in images:
        real = block.add_subplot(grid[2, :])
        strip_panel(real, images[REAL], shown * len(looks), shown)
        real.set_title(f"real images of {spoken(data['class'].iloc[0])}", fontsize=9)
    share = data.share.iloc[0]
    share = "which do not vary" if pd.isna(share) else f"{100 * share:.0f} % of variance"
    plane = f"PC 1 and 2 of real features:\n{share}"
    block.axes[0].set_ylabel(plane, fontsize=8, color="#555555")
    block.legend(handles=_handles(), loc="outside lower center", ncols=2, fontsize=9)


def _handles() -> list[Line2D]:
    dots = {"real image, dark": (DARK, 5), "real image, lit (covered by the set)": (LIT, 7)}
    return [
        Line2D([], [], ls="", color=colour, marker="o", ms=size, mec="white", mew=0.5, label=label)
        for label, (colour, size) in dots.items()
    ]


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def shore_panel(axes: Axes, data: pd.DataFrame, kind: str, look: Look) -> None:
    """One strategy's set of one class, and the real images that it lights.

    data: the rows of all strategies' sets, so that all maps show the same part of the plane.
    """
    real, own = data[data.kind == "real"], data[data.kind == kind]
    lit = real.lit_by.fillna("").str.split("+").map(lambda kinds: kind in kinds)
    axes.scatter(real.x[~lit], real.y[~lit], s=12, c=DARK, linewidths=0, label="dark")
    axes.scatter(real.x[lit], real.y[lit], s=24, c=LIT, linewidths=0, label="lit")
    mark = {"color": look.colour, "ms": look.size, "mec": "white", "mew": 0.7}
    axes.plot(own.x, own.y, look.marker, label=look.label, zorder=3, **mark)
    axes.set_title(look.label, fontsize=11, color=look.colour, fontweight="bold")
    axes.set_xlabel(f"lights {100 * lit.mean():.0f} % of the real images", fontsize=9)
    margin = 0.04 * max(np.ptp(data.x), np.ptp(data.y))
    axes.set_xlim(data.x.min() - margin, data.x.max() + margin)
    axes.set_ylim(data.y.min() - margin, data.y.max() + margin)
    axes.set_aspect("equal")
    _bare(axes)


def strip_panel(axes: Axes, images: np.ndarray, count: int, share: int | None = None) -> None:
    """A row of ``count`` images, white ones where there are fewer, in groups of ``share``."""
    row = thumbnails(first_images(images, count))
    axes.imshow(canvas([row], share or count)[0], interpolation="nearest")
    _bare(axes)


def utility_panel(
    axes: Axes, points: pd.DataFrame, tests: pd.DataFrame, measure: str, looks: Mapping[str, Look]
) -> None:
    """A measure by strategy, a line a seed, and what was picked from the pool for it."""
    places = {kind: i for i, kind in enumerate(looks)}
    sampled = points[points.strategy.isin(looks)]
    for _, rows in sampled.groupby("seed"):
        x = rows.strategy.map(places)
        order = x.argsort()
        axes.plot(x.iloc[order], rows[measure].iloc[order], "-", color="#999999", lw=0.8, zorder=1)
    for kind, look in looks.items():
        y = sampled[sampled.strategy == kind][measure]
        x = [places[kind]] * len(y)
        axes.plot(x, y, look.marker, color=look.colour, ms=look.size, mec="white", mew=0.5)
    picked = points[points.chosen_by == measure].set_index("strategy")[measure]
    for strategy, value in picked.items():
        axes.axhline(value, color="#333333", lw=1, ls=DASHES[strategy])
    low, high = axes.get_ylim()
    heights = spread(list(picked), 0.06 * (high - low))
    for (strategy, value), height in zip(picked.items(), heights, strict=True):
        axes.annotate(
            f"pool: {strategy}",
            (1, value),
            (1.03, height),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": "#999999", "lw": 0.6, "shrinkB": 0},
        )
    axes.set_xlim(-0.4, len(places) - 0.6)
    axes.set_xticks(list(places.values()), [fill(look.label, 12) for look in looks.values()])
    axes.grid(axis="x", visible=False)
    axes.set_ylabel(TITLES[measure])
    axes.set_title(verdicts(tests, measure, looks), fontsize=8.5, loc="left")


def verdicts(tests: pd.DataFrame, measure: str, looks: Mapping[str, Look]) -> str:
    """The tests of a measure that no reference of the pool is part of, a line each."""
    labels = {name: look.label for name, look in looks.items()}
    rows = tests[tests.measure == measure].to_dict("records")
    sides = [row["comparison"].split(" - ") for row in rows]
    return "\n".join(
        f"{labels[first]} − {labels[second]}: {verdict(row)}"
        for row, (first, second) in zip(rows, sides, strict=True)
        if second in ("sequential", "joint")
    )


def verdict(test: Mapping) -> str:
    """A test in words: difference, verdict and, in brackets, how sure it is."""
    word = {"yes": "higher", "no": "lower"}.get(test["holds"], test["holds"])
    sure = f"{test['n']} seed{'s' if test['n'] > 1 else ''}"
    if not pd.isna(test["ci_low"]):  # of seeds that differ by the same no test is sure
        sure = f"p = {test['p']:.2g}"
    return f"{test['difference']:+.3g}, {word} ({sure})".replace("-", "−")
