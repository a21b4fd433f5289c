"""The table of choices: every candidate of weights or scale, and what the choice gained."""

from collections.abc import Mapping, Sequence

from lighthouse.config.candidates import SCALE
from lighthouse.report.tables import Table
from lighthouse.tables import CELL, MEASURED, MISSING, NAN

#: Behind the weights: accuracies of the last epoch on the validation and on the test part.
RESULTS = ("top1_val", "top1_test", "chosen", "gain_val", "gain_test", "seconds", "status")


def tuning_table(
    records: Sequence[Mapping | None],
    names: Sequence[Mapping],
    candidates: Sequence[Mapping],
    weights: Sequence[str],
) -> dict:
    """The candidates of all choices. records: of each of ``names``, the cells of these.

    candidates: the rows of ``config.rows.candidates``. weights: columns of terms, and before them
    ``SCALE`` where a guidance scale is chosen.
    """
    by_cell = {_place(cell): record for cell, record in zip(names, records, strict=True)}
    rows = [tuning_row(one, by_cell[_place(one)], weights) for one in candidates]
    return {"table": Table(rows, (*CELL, *weights, *RESULTS))}


def tuning_row(candidate: Mapping, record: Mapping | None, weights: Sequence[str]) -> dict:
    """The row of a candidate. record: of its tuning, None where that failed.

    Weights are in the papers' unit, 0 of a term which the method has not, and the scale is empty
    where weights are tried; accuracies in %. ``gain_val`` and ``gain_test`` stand in the row that
    was chosen: by how much it is above the candidate at the natural units, or at the least scale,
    on the part that chose it and on the one that had no say.
    """
    row = {
        **{name: candidate[name] for name in CELL},
        **{name: candidate["weights"].get(name, NAN if name == SCALE else 0.0) for name in weights},
    }
    if record is None:
        return {**row, **dict.fromkeys(RESULTS, NAN), "status": MISSING}
    by_variant = {tried["variant"]: tried for tried in record["candidates"]}
    own = by_variant[candidate["variant"]]
    (natural,) = (t for t in record["candidates"] if set(t["factors"].values()) == {1})
    chosen = record["chosen"] == candidate["variant"]
    return {
        **row,
        "top1_val": 100 * own["val"],
        "top1_test": 100 * own["test"],
        "chosen": "yes" if chosen else "no",
        "gain_val": 100 * (own["val"] - natural["val"]) if chosen else NAN,
        "gain_test": 100 * (own["test"] - natural["test"]) if chosen else NAN,
        "seconds": own["seconds"],
        "status": MEASURED,
    }


def _place(cell: Mapping) -> tuple:
    """Where a tuning is, which a cell and its candidates share."""
    return tuple(cell[name] for name in ("dataset", "method", "ipc"))
