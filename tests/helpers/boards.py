"""A small leaderboard: a study's list of rows, and the tables that they are joined from."""

from lighthouse.config.grid import TABLE
from lighthouse.report.leaderboard import leaderboard_rows
from lighthouse.report.sheets import Comparison
from lighthouse.tables import CELL

NAN = float("nan")
ALIKE = "not distinguishable"


def spec(method, ipc, label=None, run=True, real=False, published_as=None):
    """A row of the study's list. One that is not run has no cell."""
    return {
        "dataset": "toy",
        "method": method,
        "ipc": ipc,
        **({"variant": TABLE} if run else {}),
        "label": label or method.upper(),
        "run": run,
        "real": real,
        "published_as": published_as,
    }


def accuracy_of(row, mean, std=1.0, student="s", protocol="p", **more):
    cell = {key: row[key] for key in CELL}
    found = {
        "n_replicates": 5,
        "n_seeds": 5,
        "n_students": 2,
        "top1_last_mean": mean,
        "top1_last_std": std,
        "std_replicates": 2.0,
        "std_sets": 3.0,
        "std_students": 4.0,
        "top1_best_mean": mean + 1,
        "best_chosen_on": "val",
        "status": "missing" if mean != mean else "measured",
    }
    return {**cell, "student": student, "protocol": protocol, **found, **more}


def compared(method, ipc, difference, verdict, against="dit", **more):
    place = {"dataset": "toy", "student": "s", "protocol": "p", "ipc": ipc, "method": method}
    return {
        **place,
        "against": against,
        "difference": difference,
        "p_holm": 0.012,
        "verdict": verdict,
        **more,
    }


SPECS = [
    spec("random", 1, "Random real images", real=True),
    spec("random", 5, "Random real images", real=True),
    spec("dit", 1, "DiT & co_1 <base> 100%"),
    spec("dit", 5, "DiT & co_1 <base> 100%"),
    spec("igd", 1, "IGD"),
    spec("igd", 5, "IGD", run=False),
    spec("rsm", 1, "RSM (λ | η)"),
    spec("rsm", 5, "RSM (λ | η)"),
    spec("broken", 1, "Broken"),
    spec("broken", 5, "Broken"),
    spec("full", "all", "All real images", real=True),
]
MEANS = [60.0, 95.0, 70.0, 80.0, 75.0, None, 77.5, 79.0, NAN, NAN, 99.0]
TABLES = {
    "accuracy": [
        accuracy_of(row, mean) for row, mean in zip(SPECS, MEANS, strict=True) if mean is not None
    ],
    "significance": [
        compared("random", 1, -10.0, "worse"),
        compared("random", 5, 15.0, "better"),
        compared("igd", 1, 5.0, ALIKE),
        compared("rsm", 1, 2.5, "worse", against="igd"),
        compared("rsm", 1, 7.5, "better"),
        compared("rsm", 5, -1.0, ALIKE),
        compared("broken", 1, NAN, "missing", p_holm=NAN),
        compared("broken", 5, NAN, "missing", p_holm=NAN),
    ],
    "scores": [],
    "diversity": [],
    "fid": [],
    "cost": [],
    "published": [],
}
COMPARISON = Comparison("DiT & co_1 <base> 100%", frozenset({"random", "full"}), 0.05)


def board(tables=TABLES, specs=SPECS, students=("s",)):
    rows = leaderboard_rows(specs, tables, students, "dit")
    return rows, {(row["method"], row["ipc"]): row for row in rows}


def measures(method, ipc, **values):
    return {**spec(method, ipc), "status": "measured", **values}


def published(method, ipc, top1, protocol="p", source="A", student="s", dataset="family"):
    return {
        "dataset": dataset,
        "student": student,
        "protocol": protocol,
        "method": method,
        "ipc": ipc,
        "top1": top1,
        "std": NAN,
        "source": source,
    }


OF_FAMILY = [{**row, "published_as": "family"} for row in SPECS]
FIGURES = [
    published("rsm", 1, 66.0, protocol="another", source="B"),
    published("rsm", 1, 67.0),
    published("rsm", 5, 68.0, protocol="another", source="B"),
    published("igd", 5, 69.0),
    published("dit", 1, 11.0, student="t"),
    published("dit", 1, 12.0, dataset="others"),
    published("DM", 1, 13.0),
    published("DM", 50, 14.0),
]


def run_row(keys, seed=NAN, student_seed=NAN, top1=NAN):
    """A row of runs.csv: a training on the one set of a replicate, missing without an accuracy."""
    return {
        **keys,
        "replicate": seed,
        "seed": seed,
        "student_seed": student_seed,
        "top1_last": top1,
        "status": "missing" if top1 != top1 else "measured",
    }
