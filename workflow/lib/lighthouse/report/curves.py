"""What figures of accuracy show: rows picked from tables, and in words what is left out."""

import pandas as pd

from lighthouse.config.grid import ALL
from lighthouse.report.trainings import shared_students
from lighthouse.runtime.errors import DataError
from lighthouse.tables import CELL, MEASURED

#: What one panel shows.
PANEL = ["dataset", "student", "protocol"]
#: At most this share of a panel's methods may lie below its axis.
FEW = 0.25


def left_out(rows: pd.DataFrame) -> str:
    """Which cells have no figures, and why, in words; empty where all have.

    rows: ``label``, ``dataset``, ``ipc``, ``status``.
    """
    sentences = []
    several = rows.dataset.nunique() > 1
    for status, absent in rows[rows.status != MEASURED].groupby("status", sort=True):
        cells = []
        for (label, dataset), of in absent.groupby(["label", "dataset"], sort=False):
            sizes = ", ".join(str(ipc) for ipc in of.ipc.drop_duplicates())
            cells.append(f"{label} ({f'{dataset}, ' if several else ''}IPC {sizes})")
        sentences.append(f"{status}: {'; '.join(cells)}.")
    return " ".join(sentences)


def far_below(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a panel that lie farther below the next higher one than all above lie apart.

    On one axis they would leave the others next to no room. None where they are of more than
    ``FEW`` of the methods. rows: ``method``, ``top1_mean`` in %.
    """
    means = rows.top1_mean.sort_values(ascending=False).to_numpy()
    for count in range(2, len(means)):
        if means[count - 1] - means[count] > means[0] - means[count - 1]:
            below = rows[rows.top1_mean <= means[count]]
            if below.method.nunique() <= FEW * rows.method.nunique():
                return below
    return rows[:0]


def told_below(rows: pd.DataFrame) -> str:
    """Rows that an axis leaves out, in words; empty where there are none."""
    if rows.empty:
        return ""
    of_each = rows.groupby("label", sort=False).top1_mean
    told = [f"{label} ({', '.join(f'{mean:.1f}' for mean in means)} %)" for label, means in of_each]
    return f"below the axis: {'; '.join(told)}."


def by_ipc(board: pd.DataFrame) -> pd.DataFrame:
    """Measured rows of the leaderboard as drawn against IPC; a ceiling's IPC stays "all"."""
    columns = [*PANEL, "method", "label", "ipc", "top1_mean", "top1_std", "n_seeds", "n_students"]
    panels = board[(board.status == MEASURED) & (board.ipc.astype(str) != ALL)][PANEL]
    if panels.empty:
        raise DataError("no figure of accuracy against IPC: no row of the leaderboard is measured")
    # A panel needs more than its ceilings.
    rows = board[board.status == MEASURED].merge(panels.drop_duplicates(), on=PANEL)
    return rows[columns]


def fullest_ipc(rows: pd.DataFrame) -> int:
    """The largest IPC among those at which most methods have figures. rows: of one panel."""
    synthetic = rows[rows.ipc.astype(str) != ALL]
    counts = synthetic.groupby(synthetic.ipc.astype(int)).method.nunique()
    return int(counts[counts == counts.max()].index.max())


def by_cost(
    board: pd.DataFrame, cost: pd.DataFrame, ipc: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows as drawn against cost, and those that are left out, with their ``status``.

    One IPC a panel: ``ipc``, or else ``fullest_ipc``. ``seconds_per_image`` is what sampling
    an image takes; ``seconds_in_all`` adds a share of its prior's training, the base prior's
    training, the method's own preparation and the tuning of its weights, over the ipc × classes
    images of one set. A ceiling has no cost, and stands with an empty one.
    """
    drawn, absent = [], []
    spent = cost.assign(ipc=cost.ipc.astype(str)).rename(columns={"status": "cost_status"})
    before = ["base_seconds", "preparation_seconds", "tuning_seconds"]
    columns = ["classes", "seconds_per_image", *before, "cost_status"]
    key = ["dataset", "method", "ipc"]
    board = board.drop(columns=["seconds_per_image", "tuning_seconds"])
    board = board.assign(ipc=board.ipc.astype(str))
    for _, rows in board.groupby(PANEL, sort=False):
        measured = rows[rows.status == MEASURED]
        if not (measured.ipc != ALL).any():
            absent.append(rows)
            continue
        at = rows[rows.ipc.isin([str(ipc or fullest_ipc(measured)), ALL])]
        at = at.merge(spent[[*key, *columns]], on=key, how="left", validate="1:1")
        has_cost = (at.cost_status == MEASURED) & (at.seconds_per_image > 0)
        here = (at.status == MEASURED) & (has_cost | (at.ipc == ALL))
        drawn.append(at[here])
        why = at.status.where(at.status != MEASURED, at.cost_status.fillna("no cost measured"))
        why = why.where(why != MEASURED, "no cost measured")
        absent.append(at[~here].assign(status=why[~here]))
    if not drawn:
        raise DataError("no figure of accuracy against cost: no row of the leaderboard is measured")
    table = pd.concat(drawn, ignore_index=True)
    of_one_set = pd.to_numeric(table.ipc, errors="coerce") * table.classes
    shared = table[before].fillna(0).sum(axis=1) / of_one_set
    table["seconds_in_all"] = table.seconds_per_image + shared
    kept = [*PANEL, "method", "label", "ipc", "seconds_per_image", "seconds_in_all"]
    return table[[*kept, "top1_mean", "top1_std"]], pd.concat(absent, ignore_index=True)


def sweep_rows(runs: pd.DataFrame, diversity: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The points of every curve, a row a dataset, student and protocol.

    runs, diversity: the tables of trainings and of sets. points: a row a point of a curve,
    with its cell, ``factor``, ``value`` and ``at_table``, which marks the tables' own value, a
    point of every curve. Sets at that value may have more students than the others: accuracies
    are of the ``n_students`` a set that every point of a panel has (``shared_students``).
    ``coverage_mean`` and ``coverage_std`` are over sampling seeds. Rows without figures stay,
    with their ``status``.
    """
    cell = list(CELL)
    runs, diversity = (of[of.ipc != ALL].astype({"ipc": int}) for of in (runs, diversity))
    light = diversity[diversity.status == MEASURED].groupby(cell).coverage
    light = light.agg(coverage_mean="mean", coverage_std="std").reset_index()
    # A student that is trained at the tables' own values alone has no curve.
    rows = (
        points.merge(runs, on=cell)
        .groupby(PANEL)
        .filter(lambda panel: panel.groupby("factor").value.nunique().max() > 1)
    )
    if not (rows.status == MEASURED).any():
        raise DataError("no figure of the sweeps: no row of them is measured")
    found = _points(rows, [*dict.fromkeys([*PANEL, *cell]), "factor", "value", "at_table"])
    rank = {factor: i for i, factor in enumerate(points.factor.drop_duplicates())}
    found = found.merge(light, on=cell, how="left").sort_values(
        ["factor", *PANEL, "value"],
        key=lambda column: column.map(rank) if column.name == "factor" else column,
        ignore_index=True,
    )
    kept = [*PANEL, "factor", "value", "at_table", "n_seeds", "n_students", "top1_last_mean"]
    return found[[*kept, "top1_last_std", "coverage_mean", "coverage_std", "status"]]


def _points(runs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """A row a point that ``keys`` name: accuracies of the students that all of its panel have."""
    measured = [panel for _, panel in runs[runs.status == MEASURED].groupby(PANEL)]
    shared = [shared_students(panel.to_dict("records")) for panel in measured]
    alike = pd.concat(
        [panel[panel.student_seed.isin(of)] for panel, of in zip(measured, shared, strict=True)]
    )
    figures = alike.groupby(keys).agg(
        n_seeds=("seed", "nunique"),
        n_students=("student_seed", "nunique"),
        top1_last_mean=("top1_last", "mean"),
        top1_last_std=("top1_last", "std"),
    )
    return runs[[*keys, "status"]].drop_duplicates().merge(figures, on=keys, how="left")


def sweep_left_out(rows: pd.DataFrame) -> str:
    """Which points of a sweep have no figures, in words. rows: of ``sweep_rows``."""
    absent = rows[rows.status != MEASURED]
    keys = ["status", "dataset", "factor", "value"]
    points = absent[keys].drop_duplicates().itertuples()
    return "; ".join(f"{p.status}: {p.factor} = {p.value:g} ({p.dataset})" for p in points)
