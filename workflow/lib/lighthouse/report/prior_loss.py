"""The figure of how base priors learned: their loss on held-out latents, step by step."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lighthouse.report.figures import COLOURS, STYLE, drawn, footnote, missing, plt

COLUMNS = ["dataset", "prior", "replicate", "step", "held_out_loss"]

#: How far up the axis goes, in the lowest loss of a panel.
HIGHEST = 1.2


def prior_loss(records: Sequence[Mapping | None], rows: Sequence[Mapping]) -> dict:
    """The figure, of what each training took. rows: ``dataset``, ``prior``, ``replicate``."""
    looks = [
        {**{name: row[name] for name in COLUMNS[:3]}, "step": step, "held_out_loss": loss}
        for row, record in zip(rows, records, strict=True)
        for step, loss in (record or {"looks": []})["looks"]
    ]
    ends = [_ending(row, record) for row, record in zip(rows, records, strict=True) if record]
    names = [f"{row['dataset']}, replicate {row['replicate']}" for row in rows]
    note = " ".join(filter(None, [missing(records, names), *dict.fromkeys(ends)]))
    data = pd.DataFrame(looks, columns=COLUMNS)
    return drawn(loss_figure(data, note), data)


def _ending(row: Mapping, record: Mapping) -> str:
    return (
        f"{row['dataset']}, replicate {row['replicate']}: {record['steps']:,} steps, ended by: "
        f"{record['ended_by']}."
    )


def loss_figure(data: pd.DataFrame, note: str = "") -> Figure:
    """Held-out loss against steps, a line a replicate and a panel a dataset.

    data: ``COLUMNS``; note: at the bottom.
    """
    panels = list(data.groupby("dataset", sort=False)) or [("no dataset", data)]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(panels), figsize=(5.2 * len(panels), 3.6), layout="constrained", squeeze=False
        )
        for place, (dataset, rows) in zip(axes[0], panels, strict=True):
            _panel(place, rows)
            place.set_title(dataset, fontsize=10)
        axes[0][0].set_ylabel("loss on held-out latents")
        footnote(figure, note)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    lines = zip(rows.groupby("replicate", sort=True), cycle(COLOURS[1:]), strict=False)
    for (replicate, own), colour in lines:
        axes.plot(own.step, own.held_out_loss, ".-", color=colour, label=f"replicate {replicate}")
    axes.set_xlabel("training step")
    # Whether it still falls at the end is the question: looks far above the lowest one, the first
    # of which are of averages that are hardly trained, would press that flat.
    losses = rows.held_out_loss
    if len(losses):
        axes.set_ylim(losses.min() * 0.99, min(losses.max() * 1.01, losses.min() * HIGHEST))
        axes.legend()
