"""Weights of the guidance as given and as applied to latents of another size than the paper's."""

from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import Claim, Results, key, measured, named, same, slack
from lighthouse.tables import CELL

TABLE = "tables/guidance.csv"
#: Numbers of a latent for which the weights are given: 4 × 32 × 32.
GIVEN_FOR = 4096


def given_weights(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Weights of the terms that a method has are the hyperparameter table's, others 0."""
    weights = {key(cell, CELL): cell["weights"] for cell in grid["sampled"]}
    for row in measured(results.rows(TABLE)):
        own = weights.get(key(row, CELL), {})
        names = ("k_influence", "gamma_deviation", "mode_scale")
        yield from same(TABLE, row, CELL, {name: own.get(name, 0.0) for name in names})


def applied_weights(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Weights that grow with a latent are the given ones by its size; shares follow from them."""
    for row in measured(results.rows(TABLE)):
        size = row["latent_dim"]
        expected = {
            "eta_dpp_applied": row["eta_dpp"] * size / GIVEN_FOR,
            "eta_share": row["eta_dpp"] / GIVEN_FOR,
            "mu_dm_applied": row["mu_dm"] * size / GIVEN_FOR,
            "mean_pull": 2 * row["mu_dm"] / (row["ipc"] * GIVEN_FOR),
            "gamma_deviation_applied": row["gamma_deviation"] * size / GIVEN_FOR,
        }
        for column, value in expected.items():
            place = (TABLE, named(row, CELL), column)
            yield Claim(*place, row[column], value, slack(value))
