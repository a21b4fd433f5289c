"""Wrong numbers and rows in the results of an invented study, and what the audit finds there."""

import copy
from dataclasses import replace

from lighthouse.report.audit.checks import CHECKS, finding

BY_NAME = {check.__name__: check for check in CHECKS}

RSM = {"method": "rsm-cgs", "ipc": 2}
DIT = {"method": "dit", "ipc": 2}
TUNED = {"method": "cgs-tuned", "ipc": 2}
DIGITS = {"dataset": "digits"}
#: Where a guidance scale is chosen.
SCALE = {"method": "dit", "ipc": 2}
BASE = {"prior": "base"}
CONTROL = {"prior": "rsm/lambda~0/lr~0.001"}
THEIRS = {"method": "theirs", "ipc": 2}
TABLES = {
    name: f"tables/{name}.csv"
    for name in (
        *("leaderboard", "accuracy", "runs", "significance", "ablation", "cost", "diversity"),
        *("fid", "guidance", "tuning", "spectrum", "spectrum_ranks", "strategies"),
        *("recommendation", "strategies_classes", "cost_replicates", "priors", "autoencoders"),
        "prior_verdict",
    )
}
JOINT = {"strategy": "joint", "seed": 1}
TEST = {"measure": "log_det", "comparison": "joint - sequential"}
#: Of a method that is shown beside the strategies.
ASIDE = {"strategy": "mgd3", "seed": 1}
TEST_ASIDE = {"measure": "coverage", "comparison": "mgd3 - joint"}


def altered(results, table, where, column, change):
    """Results with one field of one row changed, by a number or to a word; and what was there."""
    rows = copy.deepcopy(results.tables[table])
    row = next(row for row in rows if where.items() <= row.items())
    before = row[column]
    assert before == before or isinstance(change, str), "an empty field plus a number stays empty"
    row[column] = change if isinstance(change, str) else before + change
    return replace(results, tables={**results.tables, table: rows}), before, row[column]


def findings(check, results, grid):
    return [finding(claim) for claim in BY_NAME[check](results, grid) if not claim.holds]


def without(results, table, where):
    rows = [row for row in results.tables[table] if not where.items() <= row.items()]
    assert len(rows) < len(results.tables[table])
    return replace(results, tables={**results.tables, table: rows})


def with_row(results, table, where, **changes):
    """Results in which one row stands once more, with other words in it."""
    rows = results.tables[table]
    row = next(row for row in rows if where.items() <= row.items())
    return replace(results, tables={**results.tables, table: [*rows, {**row, **changes}]})
