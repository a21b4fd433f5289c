"""Priors: what their training took and their images reach, as other tables have it."""

from collections.abc import Iterator, Mapping

from lighthouse.config.grid import TABLE as TABLE_VARIANT
from lighthouse.report.audit.claims import Claim, Results, grouped, key, known, measured, same
from lighthouse.report.audit.numbers import mean
from lighthouse.report.audit.rows import PRIOR, SET
from lighthouse.tables import CELL

TABLE = "tables/priors.csv"


def priors_of_cost(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Seconds and trained parameters of a prior are those that cost.csv has of who samples it.

    Of the base prior the seconds alone: what samples from it has trained nothing of its own.
    """
    costs = {key(row, SET): row for row in measured(results.rows("tables/cost.csv"))}
    for row in measured(results.rows(TABLE)):
        cost = costs.get(key(row, SET))
        if cost is None or row["variant"] != TABLE_VARIANT:
            continue  # of a swept prior, or of one that no method shows
        is_base = row["prior"] == "base"
        expected = {"seconds": cost["base_seconds" if is_base else "preparation_seconds"]}
        if not is_base:
            expected["trainable_parameters"] = cost["trainable_parameters"]
        yield from same(TABLE, row, PRIOR, expected)


def priors_of_sets(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A prior's coverage and precision are means over diversity.csv's sets of who shows it."""
    sets = grouped(measured(results.rows("tables/diversity.csv")), CELL)
    for row in measured(results.rows(TABLE)):
        own = sets.get(key(row, CELL), [])
        for name in ("coverage", "precision"):
            values = known(one[name] for one in own)
            yield from same(TABLE, row, PRIOR, {name: mean(values)}, behind=values)
