"""Autoencoders: their latents as the guidance met them, and what follows from errors and sizes."""

import math
from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import NAN, Claim, Results, known, measured, named, same, slack

TABLE = "tables/autoencoders.csv"
ROW = ("dataset",)


def latents_of_autoencoders(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A latent has as many numbers as guidance.csv says, and an image so many times more."""
    sampled = measured(results.rows("tables/guidance.csv"))
    dims = {row["dataset"]: row["latent_dim"] for row in sampled}
    for row in measured(results.rows(TABLE)):
        if row["dataset"] in dims:
            yield from same(TABLE, row, ROW, {"latent_dim": dims[row["dataset"]]})
        colours = 3 * grid["image_sizes"][row["dataset"]] ** 2
        yield from same(TABLE, row, ROW, {"compression": colours / row["latent_dim"]})


def noise_of_autoencoders(results: Results, grid: Mapping) -> Iterator[Claim]:
    """PSNR is that of the squared error on the validation part: 20 log 2 - 10 log e, in dB."""
    for row in measured(results.rows(TABLE)):
        found, errors = row["psnr_val"], known([row["squared_error_val"]])
        expected = NAN
        for error in errors:
            expected = 20 * math.log10(2) - 10 * math.log10(error) if error else math.inf
        # A relative error d of e moves the logarithm by 10 d / ln 10.
        by = sum(10 / math.log(10) * slack(error) / error for error in errors if error)
        yield Claim(TABLE, named(row, ROW), "psnr_val", found, expected, by + slack(expected))
