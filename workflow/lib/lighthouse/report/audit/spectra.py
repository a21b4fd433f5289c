"""Singular values: their course, the ranks reckoned from them, and the curves drawn."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lighthouse.report.audit.claims import (
    Claim,
    Results,
    Within,
    grouped,
    key,
    measured,
    named,
    same,
)
from lighthouse.report.audit.numbers import deviation, mean
from lighthouse.report.audit.rows import CURVE, counted

VALUES, RANKS, FIGURE = "tables/spectrum.csv", "tables/spectrum_ranks.csv", "figures/spectrum.csv"
POINT = ("dataset", "source", "index")
#: Of a number that is reckoned from all values of a spectrum by their ratios and logarithms,
#: each half a unit of the 6th digit off (5e-6 of it at most): several times that.
SHARE = 2e-5


def singular_values(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Singular values fall, and normalised ones are shares of the first."""
    for rows in grouped(measured(results.rows(VALUES)), CURVE).values():
        rows = sorted(rows, key=lambda row: row["index"])
        first, before = rows[0]["singular_value"], math.inf
        for row in rows:
            place, value = (VALUES, named(row, (*CURVE, "index"))), row["singular_value"]
            yield Claim(*place, "singular_value", value, Within(0, before))
            share = value / first
            yield Claim(*place, "normalised", row["normalised"], share, SHARE * share)
            before = value


def ranks(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Effective rank, stable rank and energies are those of the singular values."""
    spectra = grouped(measured(results.rows(VALUES)), CURVE)
    for row in measured(results.rows(RANKS)):
        place = (RANKS, named(row, CURVE))
        images = grid["spectrum_ipc"] * grid["classes"][row["dataset"]]
        yield Claim(*place, "n", row["n"], images)
        values = [one["singular_value"] for one in spectra.get(key(row, CURVE), ())]
        if not values:
            continue  # told by ``every_row``
        doubt = SHARE * (1 + math.log(len(values)))
        for column, expected in _ranks(np.array(values)).items():
            yield Claim(*place, column, row[column], expected, doubt * expected)


def _ranks(values: np.ndarray) -> dict[str, float]:
    """exp of the entropy of σ/Σσ, Σσ²/σ₁², and shares of Σσ² behind the first 10 and 30."""
    values = np.sort(values)[::-1]
    shares, squares = values[values > 0] / values.sum(), values**2
    return {
        "effective_rank": float(np.prod(shares**-shares)),
        "stable_rank": float(squares.sum() / squares[0]),
        "energy_left_10": float(squares[10:].sum() / squares.sum()),
        "energy_left_30": float(squares[30:].sum() / squares.sum()),
    }


def spectrum_figure(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The curves of the spectra are means and deviations over the seeds of spectrum.csv."""
    points = grouped(measured(results.rows(VALUES)), POINT)
    yield from counted(FIGURE, results.rows(FIGURE), POINT, [rows[0] for rows in points.values()])
    for row in results.rows(FIGURE):
        values = [one["normalised"] for one in points.get(key(row, POINT), ())]
        yield from same(FIGURE, row, POINT, band(values), behind=values)


def band(values: Sequence[float]) -> dict[str, float]:
    """Mean, deviation and number of values, as the tables of curves over seeds call them."""
    return {"mean": mean(values), "std": deviation(values), "n_seeds": len(values)}
