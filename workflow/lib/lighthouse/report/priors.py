"""The priors that a study trains: what each took, and how good it is."""

from collections.abc import Mapping, Sequence

import numpy as np

from lighthouse.report.tables import Table
from lighthouse.tables import CELL, MEASURED, MISSING, NAN, cell_key

#: Measures of the images of a prior alone.
MEASURES = ("coverage", "precision")
COLUMNS = (
    *("dataset", "prior", "replicate", "trainable_parameters", "steps", "ended_by", "seconds"),
    *("training_loss", "held_out_loss", *CELL[1:], *MEASURES, "status"),
)


def priors_table(
    records: Sequence[Mapping | None], diversity: Sequence[Mapping], rows: Sequence[Mapping]
) -> dict[str, Table]:
    """A row a prior and replicate. records: what each training took, None of a failed one.

    rows: ``dataset``, ``prior``, ``replicate``, and ``sampled``, the cell whose images are the
    prior's own, or None. Losses are of the noise, per element: ``training_loss`` over the last
    steps, ``held_out_loss`` that of ``priors.held_out``.
    """
    pairs = zip(rows, records, strict=True)
    return {"table": Table([_row(row, record, diversity) for row, record in pairs], COLUMNS)}


def _row(row: Mapping, record: Mapping | None, diversity: Sequence[Mapping]) -> dict:
    names = {key: (row["sampled"] or row).get(key, NAN) for key in CELL}
    found = {**dict.fromkeys(COLUMNS, NAN), **names, "prior": row["prior"]}
    found["replicate"] = row["replicate"]
    if record is None:
        return {**found, "status": MISSING}
    losses = record["losses"]
    return {
        **found,
        **{key: record[key] for key in ("trainable_parameters", "steps", "ended_by", "seconds")},
        "training_loss": losses["noise"],
        "held_out_loss": NAN if losses["held_out"] is None else losses["held_out"],
        **_of_sets(row, diversity),
        "status": MEASURED,
    }


def _of_sets(prior: Mapping, diversity: Sequence[Mapping]) -> dict[str, float]:
    """Means of the measures over the sets of a prior's own replicate; NaN of none."""
    cell = prior["sampled"]
    if cell is None:
        return dict.fromkeys(MEASURES, NAN)
    own = [
        row
        for row in diversity
        if cell_key(row) == cell_key(cell) and row["replicate"] == prior["replicate"]
    ]
    values = {name: [row[name] for row in own if row["status"] == MEASURED] for name in MEASURES}
    return {name: float(np.mean(found)) if found else NAN for name, found in values.items()}
