"""The recommendation: which set is taken by whose accuracy, and how far it is from the others."""

from collections.abc import Iterator, Mapping, Sequence

from lighthouse.report.audit.claims import Claim, Results, grouped, key, measured, named, same
from lighthouse.report.audit.numbers import Runs, accuracies, judgement, mean, off, paired, shared
from lighthouse.report.audit.rows import BOARD, TRAINING
from lighthouse.tables import MEASURED, MISSING

TABLE = "tables/recommendation.csv"
PLACE = ("dataset", "protocol", "student", "ipc")
#: Columns in percentage points, which are as exact as the accuracies behind them.
POINTS = ("difference", "std_difference", "ci_low", "ci_high")


def accuracy_of_choices(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Accuracies of recommendation.csv are of runs.csv; labels and kinds of images the study's."""
    for row, cell, runs in _rows(results, grid):
        expected = {"label": cell["label"], "coreset": cell["coreset"] or ""}
        yield from same(TABLE, row, BOARD, expected)
        values = list(runs.values())
        found = {"top1_mean": mean(values), "status": MEASURED if runs else MISSING}
        yield from same(TABLE, row, BOARD, found, behind=values)


def what_is_taken(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Of each IPC one row is taken: the first on the part that decides, of equals a real one."""
    for group in grouped(results.rows(TABLE), PLACE).values():
        done = measured(group)
        by = "top1_val" if all(row["top1_val"] == row["top1_val"] for row in done) else "top1_mean"
        part = "val" if by == "top1_val" else "test"
        most = max((row[by] for row in done), default=0.0)
        first = [row for row in done if row[by] == most]
        real = [row for row in first if isinstance(row["coreset"], str)]
        best = (real or first)[:1]
        for row in group:
            told = {"taken": "yes" if [row] == best else "no"}
            if row["status"] == MEASURED:
                told |= {"chosen_on": part}
            yield from same(TABLE, row, BOARD, told)


def tests_of_choices(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Differences from the taken row are paired tests over replicates, or sets of the only one."""
    alone = len({replicate for _, replicate in grid["replicates"]}) < 2
    seeds = [seed for seed, _ in grid["replicates"]]
    rows = [(row, _paired_by(runs, alone)) for row, _, runs in _rows(results, grid)]
    taken = {key(row, PLACE): runs for row, runs in rows if row["taken"] == "yes"}
    for row, runs in rows:
        if row["status"] != MEASURED:
            yield from same(TABLE, row, BOARD, {"verdict": MISSING})
            continue
        place = (TABLE, named(row, BOARD))
        one = row["seed"] if row["seed"] in seeds else "a seed of the study"
        yield Claim(*place, "seed", row["seed"], one)
        if row["taken"] == "yes":
            yield from same(TABLE, row, BOARD, {"verdict": "taken", "over": ""})
            continue
        first = taken.get(key(row, PLACE), {})
        test = paired(*shared(first, runs))
        told = {
            "over": "sets" if alone else "replicates",
            "n_pairs": test["n_pairs"],
            "p": test["p"],
        }
        told["verdict"] = judgement(test["difference"], test["p"], grid["alpha"])
        behind = [*first.values(), *runs.values()]
        rounded = off(test, behind)
        yield from same(TABLE, row, BOARD, told, off=rounded)
        yield from same(TABLE, row, BOARD, {name: test[name] for name in POINTS}, behind, rounded)


def _paired_by(runs: Runs, alone: bool) -> Runs:
    """Accuracies by what is paired first: the replicate or, of one replicate, the set."""
    if not alone:
        return runs
    return {(seed, seed, student): value for (_, seed, student), value in runs.items()}


def _rows(results: Results, grid: Mapping) -> list[tuple[Mapping, Mapping, Runs]]:
    """Rows of the grid's choices, each with what names its cell, and its accuracies."""
    runs = accuracies(results.rows("tables/runs.csv"))
    cells: dict[tuple, Mapping] = {key(cell, BOARD): cell for cell in grid["choices"]}
    found: Sequence[Mapping] = results.rows(TABLE)
    return [
        (row, cells[key(row, BOARD)], runs.get(key(cells[key(row, BOARD)], TRAINING), {}))
        for row in found
        if key(row, BOARD) in cells  # others are told by ``every_row``
    ]
