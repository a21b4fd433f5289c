"""Figures, drawn from tables. Each is saved as PDF and PNG beside the CSV it shows."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import chain, cycle, repeat
from pathlib import Path
from textwrap import fill

import matplotlib
import pandas as pd

from lighthouse.report.measures import rows_of
from lighthouse.report.tables import Table
from lighthouse.runtime.files import whole

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter

#: Okabe and Ito's colours: told apart by colour-blind readers too.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLE = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def save_figure(figure: Figure, paths: Sequence[str | Path]) -> None:
    """Save a figure under each path, by suffix; PDFs carry no date.

    A sign that the font has not is an empty box, which the picture itself tells.
    """
    as_words(figure)
    for path in paths:
        pdf = Path(path).suffix == ".pdf"
        with whole(path) as beside:
            # Tight: a layout reckons with too little room for labels beside an upright grid.
            metadata = {"CreationDate": None} if pdf else None
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
                figure.savefig(beside, metadata=metadata, bbox_inches="tight")
    plt.close(figure)


def as_words(figure: Figure) -> None:
    """Have all text of a figure shown as it stands: a $ in a label begins no formula.

    But for the numbers of logarithmic axes, powers that matplotlib itself writes as formulas.
    """
    axes = [axis for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)]
    powers = {
        label
        for axis in axes
        if isinstance(axis.get_major_formatter(), LogFormatter)
        for label in axis.get_ticklabels(which="both")
    }
    for text in set(figure.findobj(Text)) - powers:
        text.set_parse_math(False)


def drawn(figure: Figure, data: pd.DataFrame, **more: pd.DataFrame) -> dict:
    """A figure with the data that it shows, as its maker returns them."""
    tables = {"data": data, **more}
    return {"figure": figure, **{n: Table(of.to_dict("records")) for n, of in tables.items()}}


def footnote(figure: Figure, text: str) -> None:
    """A line, or several, at the bottom; of no text none."""
    if text:
        wide = int(figure.get_figwidth() * 15)
        figure.supxlabel(fill(text, wide), fontsize=8, color="#555555", x=0.01, ha="left")


def missing(parts: Sequence[object], names: Sequence[str]) -> str:
    """Which of several records are not there, in words; empty where all are."""
    lost = [name for part, name in zip(parts, names, strict=True) if part is None]
    return f"missing: {', '.join(lost)}" if lost else ""


def band(frame: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """Mean, standard deviation (ddof 1) and count of ``value`` over seeds."""
    grouped = frame.groupby(list(by), sort=True)[value]
    return grouped.agg(mean="mean", std="std", n_seeds="count").reset_index()


def weight_axis(axes: Axes, values: pd.Series) -> None:
    """Every weight on a symmetric log axis, since 0 is one of them."""
    weights = sorted(values.unique())
    smallest = min((w for w in weights if w), default=1)
    axes.set_xscale("symlog", linthresh=smallest, linscale=0.5)
    axes.set_xticks(weights, [f"{w:g}" for w in weights])
    axes.minorticks_off()


def ssim_curve(data: pd.DataFrame, title: str, note: str = "") -> Figure:
    """SSIM against the DPP weight, a band of one standard deviation over seeds.

    data: ``dataset``, ``eta_dpp``, ``mean``, ``std``, ``n_seeds``, as ``band`` gives them.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
        for colour, (dataset, rows) in zip(
            cycle(COLOURS[1:]), data.groupby("dataset"), strict=False
        ):
            axes.plot(rows.eta_dpp, rows["mean"], "o-", color=colour, label=dataset)
            low, high = rows["mean"] - rows["std"], rows["mean"] + rows["std"]
            axes.fill_between(rows.eta_dpp, low, high, color=colour, alpha=0.2, linewidth=0)
        weight_axis(axes, data.eta_dpp)
        axes.set_xlabel("DPP weight η_DPP (unit of D = 4096)")
        axes.set_ylabel("mean SSIM within a class")
        axes.set_ylim(bottom=min(0, data["mean"].min() - 0.02))
        axes.set_title(title, fontsize=10)
        axes.legend()
        footnote(figure, note)
    return figure


def spectrum(
    records: Sequence[Mapping | None], names: Sequence[Mapping], sources: Sequence[str]
) -> dict:
    """The spectrum, from a record a curve. names: the dataset and source of each."""
    rows = [row for record in records if record for row in rows_of(record, "spectrum")]
    data = band(pd.DataFrame(rows), ["dataset", "source", "index"], "normalised")
    note = missing(records, [f"{name['source']} ({name['dataset']})" for name in names])
    return drawn(spectrum_figure(data, sources, note), data)


def spectrum_figure(data: pd.DataFrame, sources: Sequence[str], note: str = "") -> Figure:
    """Normalised singular values by index on a log scale, with a band over seeds.

    data: ``dataset``, ``source``, ``index``, ``mean``, ``std``. One panel a dataset.
    """
    datasets = list(data.dataset.unique())
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1,
            len(datasets),
            figsize=(5.2 * len(datasets), 3.6),
            layout="constrained",
            squeeze=False,
            sharey=True,
        )
        for axes, dataset in zip(panels[0], datasets, strict=True):
            handles = []
            # Dashes from the third curve on: one that lies on another stays visible.
            lines = zip(sources, cycle(COLOURS), chain(["-", "-"], repeat("--")), strict=False)
            for source, colour, line in lines:
                rows = data[(data.dataset == dataset) & (data.source == source)]
                handles += axes.plot(
                    rows["index"], rows["mean"], line, color=colour, label=_greek(source)
                )
                low = (rows["mean"] - rows["std"]).clip(lower=rows["mean"].min() / 2)
                axes.fill_between(
                    rows["index"],
                    low,
                    rows["mean"] + rows["std"],
                    color=colour,
                    alpha=0.2,
                    linewidth=0,
                )
            axes.set_yscale("log")
            axes.set_xlabel("index of the singular value")
            axes.set_title(dataset, fontsize=10)
            if axes is panels[0][0]:
                axes.legend(handles=handles)  # named: else a source that begins with _ is left out
        panels[0][0].set_ylabel("singular value / the first")
        footnote(figure, note)
    return figure


def _greek(source: str) -> str:
    return source.replace("lambda", "λ")
