"""Priors: what their training took and their images reach, as other tables have it."""

from collections.abc import Iterator, Mapping

from lighthouse.config.grid import TABLE as TABLE_VARIANT
from lighthouse.report.audit.claims import (
    Claim,
    Results,
    grouped,
    key,
    known,
    measured,
    named,
    same,
    slack,
)
from lighthouse.report.audit.numbers import mean
from lighthouse.report.audit.rows import PRIOR, SET
from lighthouse.tables import CELL

TABLE, LOSS = "tables/priors.csv", "figures/prior_loss.csv"
#: What ends a training whose held-out loss is looked at on the way, and what one that is not.
LOOKED, GIVEN = ("flat", "step budget", "minute budget"), ("steps",)


def priors_of_cost(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Parameters of a prior, and the mean of its seconds, are those of who samples it in cost.csv.

    Of the base prior the seconds alone: what samples from it has trained nothing of its own.
    """
    costs = {key(row, SET): row for row in measured(results.rows("tables/cost.csv"))}
    for rows in grouped(measured(results.rows(TABLE)), ("dataset", "prior")).values():
        cost = costs.get(key(rows[0], SET))
        if cost is None or rows[0]["variant"] != TABLE_VARIANT:
            continue  # of a swept prior, or of one that no method shows
        is_base = rows[0]["prior"] == "base"
        told = cost["base_seconds" if is_base else "preparation_seconds"]
        values = [row["seconds"] for row in rows]
        for row in rows:
            # What the mean leaves to this one beside the others.
            left = len(values) * told - (sum(values) - row["seconds"])
            by = len(values) * slack(told, *values)
            yield Claim(TABLE, named(row, PRIOR), "seconds", row["seconds"], left, by)
            if not is_base:
                expected = {"trainable_parameters": cost["trainable_parameters"]}
                yield from same(TABLE, row, PRIOR, expected)


def priors_of_sets(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A prior's coverage and precision are means over diversity.csv's sets of who shows it."""
    sets = grouped(measured(results.rows("tables/diversity.csv")), CELL)
    for row in measured(results.rows(TABLE)):
        own = [one for one in sets.get(key(row, CELL), []) if one["replicate"] == row["replicate"]]
        for name in ("coverage", "precision"):
            values = known(one[name] for one in own)
            yield from same(TABLE, row, PRIOR, {name: mean(values)}, behind=values)


def losses_of_priors(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A training with looks ends at the last of them, with the loss that priors.csv has."""
    by = ("dataset", "prior", "replicate")
    drawn = grouped(results.tables.get(LOSS, []), by)
    for row in measured(results.rows(TABLE)):
        looks = drawn.pop(key(row, by), [])
        reasons = LOOKED if looks else GIVEN
        found = row["ended_by"]
        told = found if found in reasons else " or ".join(reasons)
        yield Claim(TABLE, named(row, PRIOR), "ended_by", found, told)
        for last in looks[-1:]:
            yield Claim(TABLE, named(row, PRIOR), "steps", row["steps"], last["step"])
            expected = {"held_out_loss": row["held_out_loss"]}
            yield from same(LOSS, last, (*by, "step"), expected)
    for left in drawn.values():
        yield Claim(LOSS, named(left[0], by), "rows", len(left), 0)
