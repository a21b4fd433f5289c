"""Weights of the guidance as given and as applied to latents of another size than the paper's."""

from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import Claim, Results, measured, named, slack
from lighthouse.report.tables import CELL

TABLE = "tables/guidance.csv"
#: Numbers of a latent for which the weights are given: 4 × 32 × 32.
GIVEN_FOR = 4096


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
