"""Every system in one table: what was measured here, under one protocol, beside what was published.

Rows come from the study's own list, so that none can drop out unseen: a row whose
computation failed says ``missing``, one that the study leaves out ``not run``.
"""

from collections.abc import Iterable, Mapping, Sequence

from lighthouse.report import label_robust
from lighthouse.report.ablation import average, seed_average
from lighthouse.tables import CELL, MEASURED, MISSING, NAN, NOT_RUN, cell_key

COLUMNS = (
    "dataset",
    "protocol",
    "student",
    "ipc",
    "method",
    "label",
    "status",
    "n_replicates",
    "n_seeds",
    "n_students",
    "top1_mean",
    "top1_std",
    "std_replicates",
    "std_sets",
    "std_students",
    "top1_best_mean",
    "difference",
    "p_holm",
    "verdict",
    *label_robust.COLUMNS,
    "published",
    "published_std",
    "published_protocol",
    "published_source",
    "coverage",
    "precision",
    "recall",
    "density",
    "recognised",
    "nearest_latent",
    "nearest_feature",
    "log_det",
    "ssim",
    "fid",
    "kid",
    "extractor",
    "seconds_per_image",
    "tuning_seconds",
)
#: Verdict of the row that the others are compared with.
BASE = "base"
#: Columns of the accuracy table by those of this one.
ACCURACY = {
    "n_replicates": "n_replicates",
    "n_seeds": "n_seeds",
    "n_students": "n_students",
    "top1_mean": "top1_last_mean",
    "top1_std": "top1_last_std",
    "std_replicates": "std_replicates",
    "std_sets": "std_sets",
    "std_students": "std_students",
    "top1_best_mean": "top1_best_mean",
}
DIVERSITY = (
    "coverage",
    "precision",
    "recall",
    "density",
    "recognised",
    "nearest_latent",
    "nearest_feature",
    "log_det",
    "ssim",
)
#: Of the distances the means over sets, each of a set as large as a student is trained on.
DISTANCES = ("fid", "kid")
COST = ("seconds_per_image", "tuning_seconds")
#: What stands beside accuracy, by the table that has it. Where that failed, the field
#: says so, whatever the row's status, which is that of its accuracy.
BESIDE = {"diversity": DIVERSITY, "fid": DISTANCES, "cost": COST}


def leaderboard_rows(
    specs: Sequence[Mapping],
    tables: Mapping[str, Sequence[Mapping]],
    students: Sequence[str],
    base: str | None,
) -> list[dict]:
    """The leaderboard, in the order of ``specs`` for each dataset, protocol and student.

    specs: a dict a dataset, method and IPC: the cell's columns where the study runs it,
    ``label``, ``run`` (False where it does not) and ``published_as``, the name under
    which the published figures list the dataset, or None. tables: rows of ``accuracy``,
    ``significance``, ``scores`` (``label_robust.score_rows``), ``diversity``, ``fid``, ``cost``
    and ``published``. students: those of the leaderboard; a sweep may have others. base: the
    method that ``difference``, ``p_holm`` and ``verdict`` are against.
    """
    return [
        _row(spec, student, protocol, tables, base)
        for dataset, protocol, student in _boards(specs, tables["accuracy"], students)
        for spec in specs
        if spec["dataset"] == dataset
    ]


def board_of(row: Mapping) -> tuple[str, str, str]:
    """Of which leaderboard a row is: (dataset, protocol, student)."""
    return row["dataset"], row["protocol"], row["student"]


def _boards(
    specs: Sequence[Mapping], accuracy: Iterable[Mapping], students: Sequence[str]
) -> list[tuple]:
    """(dataset, protocol, student) of each board, datasets in the specs' order."""
    wanted = {cell_key(spec) for spec in specs if spec["run"]}
    found = dict.fromkeys(
        board_of(row) for row in accuracy if cell_key(row) in wanted and row["student"] in students
    )
    datasets = list(dict.fromkeys(spec["dataset"] for spec in specs))
    return sorted(found, key=lambda board: datasets.index(board[0]))


def _row(
    spec: Mapping,
    student: str,
    protocol: str,
    tables: Mapping[str, Sequence[Mapping]],
    base: str | None,
) -> dict:
    row = {
        **dict.fromkeys(COLUMNS, NAN),
        **{name: spec[name] for name in ("dataset", "ipc", "method", "label")},
        "protocol": protocol,
        "student": student,
        "status": MISSING if spec["run"] else NOT_RUN,
        "verdict": "",
        **dict.fromkeys(("hard_protocol", "full_hard_from"), ""),
        **_published(spec, student, protocol, tables["published"]),
    }
    if not spec["run"]:
        return row
    own = {"student": student, "protocol": protocol}
    place = {name: spec[name] for name in ("dataset", "method", "ipc")}
    if found := first((r for r in tables["accuracy"] if cell_key(r) == cell_key(spec)), own):
        row |= {name: found[column] for name, column in ACCURACY.items()}
        row["status"] = found["status"]
    row |= _compared(place | own, tables["significance"], base, row["status"])
    if found := first(tables["scores"], place | own):
        row |= {name: found[name] for name in label_robust.COLUMNS}
    row |= seed_average(tables["diversity"], spec, DIVERSITY)
    if found := first(tables["fid"], place):
        row |= {name: found.get(name, NAN) for name in (*DISTANCES, "extractor")}
    if found := first(tables["cost"], place):
        row |= {name: found.get(name, NAN) for name in COST}
    for table, columns in BESIDE.items():
        if _failed(tables[table], spec):
            row |= dict.fromkeys(columns, MISSING)
    return row


def _failed(table: Iterable[Mapping], spec: Mapping) -> bool:
    """Whether a table says of a row that its computation failed."""
    return any(
        row["status"] == MISSING
        and matches(spec, {name: row[name] for name in CELL if name in row})
        for row in table
    )


def matches(row: Mapping, wanted: Mapping) -> bool:
    """Whether a row has the wanted fields."""
    return all(row.get(name) == value for name, value in wanted.items())


def first(rows: Iterable[Mapping], wanted: Mapping) -> Mapping:
    """The first row with the wanted fields; an empty one where none has them."""
    return next((row for row in rows if matches(row, wanted)), {})


def _compared(
    place: Mapping, significance: Iterable[Mapping], base: str | None, status: str
) -> dict:
    """``difference``, ``p_holm`` and ``verdict`` against the base."""
    if place["method"] == base:
        return {"verdict": BASE if status == MEASURED else MISSING}
    found = first(significance, {**place, "against": base})
    return {name: found[name] for name in ("difference", "p_holm", "verdict") if found}


def is_protocol(protocol: str, published: str) -> bool:
    """Whether a study's protocol is a published one, or a variant of it: ``rded-imagenet``."""
    return protocol == published or protocol.startswith(f"{published}-")


def _published(
    spec: Mapping, student: str, protocol: str, published: Sequence[Mapping]
) -> dict[str, object]:
    """The published figure of a row: one under the same protocol, or else the first listed."""
    wanted = {
        "dataset": spec.get("published_as"),
        "student": student,
        "method": spec["method"],
        "ipc": spec["ipc"],
    }
    found = [row for row in published if matches(row, wanted)]
    same = [row for row in found if is_protocol(protocol, row["protocol"])]
    for row in (same or found)[:1]:
        return {
            "published": row["top1"],
            "published_std": row["std"],
            "published_protocol": row["protocol"],
            "published_source": row["source"],
        }
    return {}


def elsewhere(
    specs: Sequence[Mapping], published: Sequence[Mapping], rows: Iterable[Mapping]
) -> dict[tuple, list[Mapping]]:
    """Published figures for methods that the study has no row for.

    By the (dataset, protocol, student) of the leaderboard's rows; of the dataset, student,
    protocol and IPCs of that board.
    """
    boards = dict.fromkeys(board_of(row) for row in rows)
    return {board: _elsewhere(specs, published, *board) for board in boards}


def _elsewhere(
    specs: Sequence[Mapping],
    published: Iterable[Mapping],
    dataset: str,
    protocol: str,
    student: str,
) -> list[Mapping]:
    own = [spec for spec in specs if spec["dataset"] == dataset]
    families = {spec.get("published_as") for spec in own} - {None}
    methods, ipcs = ({spec[name] for spec in own} for name in ("method", "ipc"))
    return [
        row
        for row in published
        if row["dataset"] in families
        and row["student"] == student
        and is_protocol(protocol, row["protocol"])
        and row["method"] not in methods
        and row["ipc"] in ipcs
    ]


def root_mean_square(rows: Iterable[Mapping], column: str) -> float:
    """Root mean square of a column of standard deviations over measured rows."""
    return average(row[column] ** 2 for row in rows if row["status"] == MEASURED) ** 0.5
