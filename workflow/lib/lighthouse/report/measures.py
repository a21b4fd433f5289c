"""Tables of what was measured of sets: rows of many records, one behind the other."""

from collections.abc import Mapping, Sequence

from lighthouse.report.tables import Table
from lighthouse.tables import MEASURED, MISSING, NAN


def joined(
    records: Sequence[Mapping | None],
    names: Sequence[Mapping],
    part: str,
    replicates: Mapping[int, int],
) -> dict[str, Table]:
    """The table of the rows that records have under ``part``, in order, with their ``status``.

    names: what names each record's rows. A record that is None is a row with that alone, as
    missing, of which the columns are shown that other rows have. replicates: that of each set, by
    its sampling seed; it stands before the seed in rows that have one.
    Raises ``ValueError`` where the columns of records differ.
    """
    found = [
        None if record is None else [_with_replicate(r, replicates) for r in rows_of(record, part)]
        for record in records
    ]
    columns = next((list(rows[0]) for rows in found if rows), None)
    if columns is None:  # of names alone
        columns = list(dict.fromkeys(key for name in names for key in name))
    rows = []
    for own, name in zip(found, names, strict=True):
        if own is None:
            rows.append({**{key: name.get(key, NAN) for key in columns}, "status": MISSING})
            continue
        if odd := next((list(row) for row in own if list(row) != columns), None):
            raise ValueError(f"{part} of {name} has columns {odd}, not {columns}")
        rows += [{**row, "status": MEASURED} for row in own]
    return {"table": Table(rows, (*columns, "status"))}


def rows_of(record: Mapping, part: str) -> list[dict]:
    """The rows under ``part``, one or several, with NaN where JSON has null."""
    found = record[part]
    rows = [found] if isinstance(found, Mapping) else found
    return [{key: NAN if value is None else value for key, value in row.items()} for row in rows]


def _with_replicate(row: Mapping, replicates: Mapping[int, int]) -> dict:
    """The row with the replicate of its set; of what has no seed, as a pick of a pool, none."""
    if "seed" not in row:
        return dict(row)
    own = {"replicate": replicates.get(row["seed"], NAN)}
    keys = list(row)
    before = {key: row[key] for key in keys[: keys.index("seed")]}
    return {**before, **own, **row}
