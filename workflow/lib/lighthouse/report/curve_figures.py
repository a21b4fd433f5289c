"""Figures of accuracy: against images per class, against cost, against one weight at a time."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lighthouse.config.grid import ALL
from lighthouse.report.curves import (
    PANEL,
    by_cost,
    by_ipc,
    far_below,
    left_out,
    sweep_left_out,
    sweep_rows,
    told_below,
)
from lighthouse.report.figures import (
    COLOURS,
    STYLE,
    band,
    drawn,
    footnote,
    missing,
    plt,
    ssim_curve,
    weight_axis,
)
from lighthouse.report.looks import FAMILIES, Look, looks
from lighthouse.report.measures import rows_of
from lighthouse.tables import MEASURED

#: Most panels side by side.
ACROSS = 3
#: Inches that a line of the legend takes, and the note below it.
LINE, NOTE = 0.21, 0.6
#: By what share of the axis methods stand beside each other.
ASIDE = 0.007


def _grid(n: int, lines: int) -> tuple[Figure, list[Axes]]:
    """``n`` panels beside a legend of so many lines, which has its room."""
    across = min(n, ACROSS)
    down = -(-n // across)
    width, height = (4.2, 3.5) if n > 1 else (6.6, 4.6)
    # On the right the legend's room.
    size = (width * across + 2.2, max(height * down, LINE * lines + NOTE))
    figure, panels = plt.subplots(down, across, figsize=size, layout="constrained", squeeze=False)
    figure.get_layout_engine().set(h_pad=0.1)
    for axes in panels.flat[n:]:
        axes.set_visible(False)
    return figure, list(panels.flat[:n])


def _present(rows: pd.DataFrame, styles: Mapping[str, Look]) -> list[str]:
    """Methods of the rows in the styles' order; ``ValueError`` where one has no style."""
    names = set(rows.method)
    if unknown := names - set(styles):
        raise ValueError(f"no look for {', '.join(sorted(unknown))}")
    return [name for name in styles if name in names]


def _handles(styles: Mapping[str, Look], names: Sequence[str]) -> list[Line2D]:
    """Methods by family."""
    handles: list[Line2D] = []
    for name in FAMILIES:
        members = [styles[m] for m in styles if m in names and styles[m].family == name]
        if members:
            heading = Line2D([], [], ls="", label=name)
            handles += [heading, *(look.handle() for look in members)]
    return handles


def _legend(figure: Figure, handles: Sequence[Line2D]) -> None:
    """Methods beside the panels: labels at the lines' ends would collide."""
    legend = figure.legend(
        handles=handles, loc="outside right upper", fontsize=9, handlelength=2.4, labelspacing=0.45
    )
    for text in legend.get_texts():
        if text.get_text() in FAMILIES:
            text.set_fontweight("bold")


def _named(dataset: str, student: str, protocol: str) -> str:
    return f"{dataset}, {student}, protocol {protocol}"


def _ceilings(axes: Axes, rows: pd.DataFrame) -> None:
    """All images: a line across, labelled where no point is, the lower one of two below it."""
    highest = rows.top1_mean.max()
    for row in rows.itertuples():
        axes.axhline(row.top1_mean, color="#333333", lw=1, ls="--", zorder=1)
        label = f"{row.label}: {row.top1_mean:.1f}"
        at = (0.01, row.top1_mean)
        where = axes.get_yaxis_transform()
        side = "bottom" if row.top1_mean == highest else "top"
        axes.text(*at, label, transform=where, fontsize=8, va=side, color="#333333")


def accuracy_vs_ipc(leaderboard: Sequence[Mapping], methods: Sequence[Mapping]) -> dict:
    """Accuracy of every method against images per class."""
    board = pd.DataFrame(leaderboard)
    data = by_ipc(board)
    return drawn(ipc_figure(data, methods, left_out(board)), data)


def ipc_figure(data: pd.DataFrame, methods: Sequence[Mapping], note: str = "") -> Figure:
    """Accuracy against IPC, a line a method. data: of ``by_ipc``; note: at the bottom."""
    return _accuracy_figure(data, methods, note, _ipc_panel)


def _accuracy_figure(
    data: pd.DataFrame,
    methods: Sequence[Mapping],
    note: str,
    draw: Callable[[Axes, pd.DataFrame, Mapping[str, Look]], None],
) -> Figure:
    """Panels of accuracy, each with its ceilings and with what ``draw`` makes of its methods.

    What lies far below all else (``far_below``) is in the note, and below the axis.
    """
    styles, notes = looks(methods), [note]
    groups = list(data.groupby(PANEL, sort=False))
    with plt.rc_context(STYLE):
        handles = _handles(styles, set(data.method))
        figure, panels = _grid(len(groups), len(handles))
        for axes, (names, rows) in zip(panels, groups, strict=True):
            of_ceiling = rows.ipc.astype(str) == ALL
            _ceilings(axes, rows[of_ceiling])
            axes.set_title(_named(*names), fontsize=10)
            axes.set_ylabel("top-1 accuracy (%)")
            axes.set_xscale("log")
            draw(axes, rows[~of_ceiling], styles)
            below = far_below(rows[~of_ceiling])
            if len(below):
                above = rows[rows.top1_mean > below.top1_mean.max()]
                lowest = (above.top1_mean - above.top1_std.fillna(0)).min()
                axes.set_ylim(bottom=lowest - 0.05 * (100 - lowest))
                notes.append(told_below(below))
        _legend(figure, handles)
        footnote(figure, " ".join(filter(None, notes)))
    return figure


def _ipc_panel(axes: Axes, rows: pd.DataFrame, styles: Mapping[str, Look]) -> None:
    rows = rows.assign(ipc=rows.ipc.astype(int)).sort_values("ipc")
    present, sizes = _present(rows, styles), sorted(rows.ipc.unique())
    for i, name in enumerate(present):
        look, line = styles[name], rows[rows.method == name]
        # Side by side on the log axis, or the bars of one IPC would hide each other.
        aside = (1.3**2 * sizes[-1] / sizes[0]) ** (ASIDE * (i - (len(present) - 1) / 2))
        axes.errorbar(
            line.ipc * aside,
            line.top1_mean,
            line.top1_std.fillna(0),
            fmt=look.marker,
            ls=look.dash,
            color=look.colour,
            label=look.label,
            ms=4.5,
            lw=1.2,
            elinewidth=0.8,
            capsize=1.5,
        )
    axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("images per class")


def accuracy_vs_cost(
    leaderboard: Sequence[Mapping], cost: Sequence[Mapping], methods: Sequence[Mapping]
) -> dict:
    """Accuracy of every method against seconds per image."""
    data, absent = by_cost(pd.DataFrame(leaderboard), pd.DataFrame(cost))
    return drawn(cost_figure(data, methods, left_out(absent)), data)


def cost_figure(data: pd.DataFrame, methods: Sequence[Mapping], note: str = "") -> Figure:
    """Accuracy against seconds per image. data: of ``by_cost``; note: at the bottom.

    A mark stands at the time of sampling; a thin line leads to the time with the training
    of the prior.
    """
    return _accuracy_figure(data, methods, note, _cost_panel)


def _cost_panel(axes: Axes, rows: pd.DataFrame, styles: Mapping[str, Look]) -> None:
    for name in _present(rows, styles):
        for row in rows[rows.method == name].itertuples():
            _cost_mark(axes, row, styles[name])
    axes.margins(x=0.08)
    axes.set_xlabel("seconds per image: sampling | with all that comes before")
    (ipc,) = rows.ipc.unique()
    axes.set_title(f"{axes.get_title()}, IPC {ipc}", fontsize=10)


def _cost_mark(axes: Axes, row: object, look: Look) -> None:
    x = (row.seconds_per_image, row.seconds_in_all)
    axes.plot(x, [row.top1_mean] * 2, "-", color=look.colour, lw=0.8, alpha=0.6, zorder=1)
    axes.plot(x[1:], [row.top1_mean], "|", color=look.colour, ms=7, zorder=2)
    axes.errorbar(
        x[:1],
        [row.top1_mean],
        [np.nan_to_num(row.top1_std)],
        fmt=look.marker,
        color=look.colour,
        ms=6,
        mec="white",
        mew=0.6,
        elinewidth=0.8,
        capsize=1.5,
        label=look.label,
        zorder=3,
    )


#: What a sweep shows, below each other: column of the mean, of the deviation, name.
SHOWN = (
    ("top1_last_mean", "top1_last_std", "top-1 accuracy (%)"),
    ("coverage_mean", "coverage_std", "coverage"),
)


def sensitivity(
    runs: Sequence[Mapping],
    diversity: Sequence[Mapping],
    points: Sequence[Mapping],
    labels: Mapping[str, str],
    title: str,
) -> dict:
    """Accuracy and coverage of a method against one number at a time (``sweep_rows``)."""
    data = sweep_rows(*map(pd.DataFrame, (runs, diversity, points)))
    return drawn(sensitivity_figure(data, labels, title, sweep_left_out(data)), data)


def ssim_vs_eta_dpp(
    records: Sequence[Mapping | None], points: Sequence[Mapping], title: str
) -> dict:
    """SSIM within a class against the DPP weight. records: of the metrics of each point's sets."""
    rows = [
        {**row, "eta_dpp": point["value"]}
        for record, point in zip(records, points, strict=True)
        for row in (rows_of(record, "diversity") if record else [])
    ]
    data = band(pd.DataFrame(rows), ["dataset", "eta_dpp"], "ssim")
    places = [f"η_DPP = {point['value']:g} ({point['dataset']})" for point in points]
    return drawn(ssim_curve(data, title, missing(records, places)), data)


def sensitivity_figure(
    data: pd.DataFrame, labels: Mapping[str, str], title: str, note: str = ""
) -> Figure:
    """One column a factor, accuracy above and coverage below. data: of ``sweep_rows``.

    labels: of the factors' axes, by factor.
    A band of one standard deviation; a ring marks the value of the hyperparameter table.
    Symmetric log axes, since 0 is a value.
    """
    factors = list(data.factor.drop_duplicates())
    curves = list(data.groupby(PANEL, sort=False).groups)
    measured = data[data.status == MEASURED]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            2,
            len(factors),
            figsize=(3.6 * len(factors) + 2.6, 5.2),
            layout="constrained",
            squeeze=False,
            sharex="col",
            sharey="row",
            gridspec_kw={"height_ratios": [1.5, 1]},
        )
        for (r, shown), (c, factor) in product(enumerate(SHOWN), enumerate(factors)):
            of = measured[measured.factor == factor]
            for i, curve in enumerate(curves):
                rows = of[(of[PANEL] == list(curve)).all(axis=1)]
                _sweep_line(panels[r][c], rows, shown, COLOURS[1:][i % 6], _named(*curve))
            weight_axis(panels[r][c], data[data.factor == factor].value)
        for axes, factor in zip(panels[1], factors, strict=True):
            axes.set_xlabel(labels[factor])
        for axes, (*_, name) in zip(panels[:, 0], SHOWN, strict=True):
            axes.set_ylabel(name)
        handles = [line for line in panels[0][0].lines if not line.get_label().startswith("_")]
        ring = Line2D(
            [], [], ls="", marker="o", mfc="none", mec="black", ms=9, label="value of the table"
        )
        figure.legend(handles=[*handles, ring], loc="outside right upper", fontsize=9)
        figure.suptitle(title, fontsize=11)
        footnote(figure, note)
    return figure


def _sweep_line(axes: Axes, rows: pd.DataFrame, shown: Sequence[str], colour: str, label: str):
    mean, std, _ = shown
    axes.plot(rows.value, rows[mean], "o-", color=colour, ms=4, label=label)
    spread = rows[std].fillna(0)
    low, high = rows[mean] - spread, rows[mean] + spread
    axes.fill_between(rows.value, low, high, color=colour, alpha=0.2, linewidth=0)
    here = rows[rows.at_table]
    axes.plot(here.value, here[mean], "o", mfc="none", mec="black", ms=9, label="_table")
