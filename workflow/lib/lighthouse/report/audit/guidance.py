"""Weights of the guidance as given and as applied to latents of another size than the paper's."""

from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import (
    NAN,
    Claim,
    Results,
    key,
    measured,
    named,
    same,
    slack,
)
from lighthouse.report.audit.rows import SET
from lighthouse.report.audit.tuning import TABLE as TUNING
from lighthouse.tables import CELL

TABLE = "tables/guidance.csv"
#: Numbers of a latent for which the weights are given: 4 × 32 × 32.
GIVEN_FOR = 4096
#: What follows from a weight, by the column that shows it.
SHARES = {
    "eta_share": lambda row: row["eta_dpp"] / GIVEN_FOR,
    "mean_pull": lambda row: 2 * row["mu_dm"] / (row["ipc"] * GIVEN_FOR),
}


def given_weights(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Weights of a method's terms are the hyperparameter table's or those chosen, others 0."""
    weights = {key(cell, CELL): cell["weights"] for cell in grid["sampled"]}
    tuned = {key(row, SET): row for row in results.rows(TUNING) if row.get("chosen") == "yes"}
    names = [term["column"] for term in grid["terms"] if term["column"] not in CELL]
    for row in measured(results.rows(TABLE)):
        own = weights.get(key(row, CELL), {})
        if None in own.values():
            chosen = tuned.get(key(row, SET), {})
            own = {name: chosen.get(name, NAN) for name in own}
        yield from same(TABLE, row, CELL, {name: own.get(name, 0.0) for name in names})


def applied_weights(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Weights that grow with a latent are the given ones by its size; shares follow from them."""
    growing = [term["column"] for term in grid["terms"] if term["grows"]]
    for row in measured(results.rows(TABLE)):
        size = row["latent_dim"]
        expected = {f"{name}_applied": row[name] * size / GIVEN_FOR for name in growing}
        expected |= {name: share(row) for name, share in SHARES.items()}
        for column, value in expected.items():
            place = (TABLE, named(row, CELL), column)
            yield Claim(*place, row[column], value, slack(value))
