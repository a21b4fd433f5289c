"""The figure of strategies: sets as lighthouses on the coast of real images, and their utility."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lighthouse.report.figures import STYLE, drawn, footnote, missing, plt
from lighthouse.report.measures import rows_of

#: Colour and marker of a strategy's images.
MARKS = {
    "iid": ("#595959", "o", 5),
    "sequential": ("#D55E00", "D", 6),
    "joint": ("#0072B2", "*", 11),
}
LIT, DARK = "#E8AE1B", "#C9CDD2"
TITLES = {
    "log_det": "log det(K + εI) of latents",
    "coverage": "coverage of real images",
}
#: Dashes of what was picked from the pool.
DASHES = {"best of random": ":", "greedy subset": "--", "greedy and swaps": "-."}


def strategies(records: Sequence[Mapping | None], datasets: Sequence[str]) -> dict:
    """The figure of all ``datasets``, from what was measured of each; a missing one is named."""
    there = [record for record in records if record is not None]
    measures, tests, places = (
        pd.DataFrame([row for record in there for row in rows_of(record, part)])
        for part in ("classes", "tests", "map")
    )
    points = seed_points(measures)
    figure = strategies_figure(points, places, tests, missing(records, datasets))
    return drawn(figure, points, map=places)


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
    points: pd.DataFrame, maps: pd.DataFrame, tests: pd.DataFrame, note: str = ""
) -> Figure:
    """Two rows of panels a dataset: maps above, utility below.

    points: of ``seed_points``; maps, tests: the tables of ``metrics.projection`` and of
    ``metrics.strategies.claims``. note: a line at the bottom, or none.
    """
    datasets = list(points.dataset.unique())
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(10.5, 7.4 * len(datasets)), layout="constrained")
        blocks = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
        for block, dataset in zip(blocks, datasets, strict=True):
            of = [table[table.dataset == dataset] for table in (points, maps, tests)]
            _block(block, dataset, *of)
        footnote(figure, note)
    return figure


def _block(block, dataset: str, points: pd.DataFrame, maps: pd.DataFrame, tests: pd.DataFrame):
    above, below = block.subfigures(2, 1, height_ratios=[1.0, 0.95])
    ipc = points.ipc.iloc[0]
    block.suptitle(f"{dataset}, {ipc} images per class", fontsize=12)
    panels = above.subplots(1, 3)
    of_class = maps[maps.panel == "class"]
    name = of_class["class"].iloc[0]
    for axes, kind in zip(panels, ("sequential", "joint"), strict=False):
        shore_panel(axes, of_class, kind)
        axes.set_title(f"class {name}: {kind}", fontsize=10)
    everything_panel(panels[2], maps[maps.panel == "all"])
    above.legend(handles=_map_handles(), loc="outside lower center", ncols=4, fontsize=9)
    for axes, measure in zip(below.subplots(1, 2), TITLES, strict=True):
        utility_panel(axes, points, tests, measure)


def _map_handles() -> list[Line2D]:
    def dot(colour: str, marker: str, size: float, label: str) -> Line2D:
        return Line2D(
            [], [], ls="", color=colour, marker=marker, ms=size, mec="white", mew=0.5, label=label
        )

    return [
        dot(DARK, "o", 5, "real image, dark"),
        dot(LIT, "o", 7, "real image, lit (covered)"),
        *(dot(*MARKS[kind], f"{kind} sample") for kind in ("sequential", "joint")),
    ]


def _bare(axes: Axes, data: pd.DataFrame) -> None:
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"PC 1 and 2 of real features: {100 * data.share.iloc[0]:.0f} % of variance")
    axes.xaxis.label.set(fontsize=8, color="#555555")
    for spine in axes.spines.values():
        spine.set_visible(False)


def shore_panel(axes: Axes, data: pd.DataFrame, kind: str) -> None:
    """One strategy's set of one class, and the real images that it lights."""
    real = data[data.kind == "real"]
    lit = real.lit_by.fillna("").str.split("+").map(lambda kinds: kind in kinds)
    axes.scatter(real.x[~lit], real.y[~lit], s=12, c=DARK, linewidths=0, label="dark")
    axes.scatter(real.x[lit], real.y[lit], s=24, c=LIT, linewidths=0, label="lit")
    _samples(axes, data, kind, 1.0)
    _bare(axes, data)


def everything_panel(axes: Axes, data: pd.DataFrame) -> None:
    """Both strategies' sets of all classes shown, among the real images."""
    real = data[data.kind == "real"]
    axes.scatter(real.x, real.y, s=5, c=DARK, linewidths=0, label="real")
    for kind in ("sequential", "joint"):
        _samples(axes, data, kind, 0.7)
    n = data["class"].nunique()
    axes.set_title(f"{n} class{'es' if n > 1 else ''}: both", fontsize=10)
    _bare(axes, data)


def _samples(axes: Axes, data: pd.DataFrame, kind: str, scale: float) -> None:
    rows = data[data.kind == kind]
    colour, marker, size = MARKS[kind]
    axes.plot(
        rows.x,
        rows.y,
        marker,
        color=colour,
        ms=size * scale,
        mec="white",
        mew=0.7,
        label=kind,
        zorder=3,
    )


def utility_panel(axes: Axes, points: pd.DataFrame, tests: pd.DataFrame, measure: str) -> None:
    """A measure by strategy, a line a seed, and what was picked from the pool for it."""
    places = {kind: i for i, kind in enumerate(MARKS)}
    sampled = points[points.strategy.isin(MARKS)]
    for _, rows in sampled.groupby("seed"):
        x = rows.strategy.map(places)
        order = x.argsort()
        axes.plot(x.iloc[order], rows[measure].iloc[order], "-", color="#999999", lw=0.8, zorder=1)
    for kind, (colour, marker, size) in MARKS.items():
        y = sampled[sampled.strategy == kind][measure]
        x = [places[kind]] * len(y)
        axes.plot(x, y, marker, color=colour, ms=size, mec="white", mew=0.5)
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
    axes.set_xticks(list(places.values()), list(places))
    axes.grid(axis="x", visible=False)
    axes.set_title(f"{TITLES[measure]}\n{verdict(tests, measure)}", fontsize=9.5)


def verdict(tests: pd.DataFrame, measure: str) -> str:
    """The test of joint against sequential, in two lines."""
    of = (tests.measure == measure) & (tests.comparison == "joint - sequential")
    (test,) = tests[of].itertuples()
    word = {"yes": "higher", "no": "lower"}.get(test.holds, test.holds)
    sure = f"{test.n} seed{'s' if test.n > 1 else ''}"
    if not pd.isna(test.ci_low):  # of seeds that differ by the same there is no interval
        sure = f"95 %: {test.ci_low:+.3g} to {test.ci_high:+.3g}, p = {test.p:.2g}"
    return f"joint − sequential: {test.difference:+.3g}, {word}\n({sure})".replace("-", "−")
