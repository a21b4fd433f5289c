"""What a study was to decide, and what it decided: claims, tested over whole replicates."""

import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import ttest_1samp

from lighthouse.parts.measures import MEASURES, Measure
from lighthouse.report.claim_pages import markdown, page
from lighthouse.report.statistics import MISSING, deviation, holm
from lighthouse.report.tables import Table
from lighthouse.report.testing import detectable, interval, levels
from lighthouse.tables import MEASURED, NAN

NAMES = ("dataset", "claim", "says", "place", "measure", "unit", "of", "against", "along")
NAMES = (*NAMES, "ipc", "student", "protocol", "direction")
COLUMNS = (
    *NAMES,
    "basis",
    "n_replicates",
    "value_of",
    "value_against",
    "effect",
    "std_difference",
    "level",
    "ci_low",
    "ci_high",
    "p",
    "p_holm",
    "detectable",
    "verdict",
    "note",
)
#: What decides a claim.
TEST, COUNT = "test", "count"
HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided"
#: Why nothing is decided.
NOTHING = "no value of one side"
ALONE = "one replicate, and so nothing to test by"
STILL = "the replicates do not differ, and so nothing to test by"
UNLIKE = "a count that differs between replicates"
#: What names one of the values of a replicate: the set's seed and the student's.
KEYS = ("seed", "student_seed")
#: Tables keep 6 digits: differences that vary by less than this share of the largest value may
#: be equal.
ROUNDING = 5e-6

#: The values of one place: by replicate, and in it by ``KEYS``.
Values = dict[int, dict[tuple, float]]


def claims_table(
    runs: Sequence[Mapping],
    diversity: Sequence[Mapping],
    fid_sets: Sequence[Mapping],
    cost_replicates: Sequence[Mapping],
    rows: Sequence[Mapping],
    alpha: float,
    spectrum_ranks: Sequence[Mapping] = (),
) -> dict:
    """The table of ``claim_rows``, and the same for readers.

    rows: ``config.claims.claim_rows``. spectrum_ranks: none of a study without a spectrum.
    """
    tables = {
        "runs": runs,
        "diversity": diversity,
        "fid_sets": fid_sets,
        "spectrum_ranks": spectrum_ranks,
        "cost_replicates": cost_replicates,
    }
    found = claim_rows(rows, tables, alpha)
    return {
        "table": Table(found, COLUMNS),
        "markdown": markdown(found, alpha),
        "page": page(found, alpha),
    }


def claim_rows(
    claims: Sequence[Mapping], tables: Mapping[str, Sequence[Mapping]], alpha: float
) -> list[dict]:
    """Every claim with its numbers and its verdict, in the order of ``claims``.

    tables: rows by the name of a measure's table. ``effect`` is the mean over replicates of the
    difference of both sides, or of the slope of a trend, and ``std_difference`` their sample
    deviation. The tested claims of one dataset are one family: ``level`` is that at which Holm's
    procedure tests a claim, the interval covers one less that, and ``detectable`` is the least
    true effect that as many replicates find there (``testing``).
    """
    rows = [_measured(claim, tables) for claim in claims]
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        family = [row for row in rows if row["dataset"] == dataset]
        values = [row["p"] for row in family]
        corrected = zip(family, levels(values, alpha), holm(values), strict=True)
        for row, level, adjusted in corrected:
            row |= _decided(row, level, adjusted, alpha)
    return [{name: row[name] for name in COLUMNS} for row in rows]


def _measured(claim: Mapping, tables: Mapping[str, Sequence[Mapping]]) -> dict:
    """The row of a claim, all but what its family decides."""
    measure = MEASURES[claim["measure"]]
    sides = by_replicate(
        [values_at(tables[measure.table], measure, place) for place in claim["places"]]
    )
    effects = [slope(values) if claim["along"] else values[0] - values[1] for values in sides]
    means = [statistics.fmean(values) for values in zip(*sides, strict=True)]
    row = {
        **dict.fromkeys(COLUMNS, NAN),
        **{name: claim[name] for name in NAMES if name in claim},
        "rises": claim["rises"],
        "unit": _unit(measure, claim),
        "basis": COUNT if measure.counted else TEST,
        "n_replicates": len(effects),
        "effect": round(statistics.fmean(effects), 9) if effects else NAN,
        "std_difference": deviation(effects),
        "note": "",
    }
    if means and not claim["along"]:
        row |= {"value_of": means[0], "value_against": means[1]}
    largest = max((abs(value) for values in sides for value in values), default=0.0)
    still = row["std_difference"] <= ROUNDING * largest
    if not effects:
        return row | {"note": NOTHING}
    if measure.counted:
        return row | {"note": "" if still or len(effects) == 1 else UNLIKE}
    if len(effects) < 2 or still:
        return row | {"note": ALONE if len(effects) < 2 else STILL}
    return row | {"p": float(ttest_1samp(effects, 0.0).pvalue)}


def _decided(row: Mapping, level: float, adjusted: float, alpha: float) -> dict:
    """What a claim's family makes of it: level, interval, least difference, verdict."""
    if not row["n_replicates"]:
        return {"verdict": MISSING}
    holds = row["effect"] > 0 if row["rises"] else row["effect"] < 0
    if row["basis"] == COUNT and not row["note"]:
        return {"verdict": HOLDS if holds else FAILS}
    if math.isnan(row["p"]):
        return {"verdict": OPEN}
    n, std = row["n_replicates"], row["std_difference"]
    low, high = interval(row["effect"], std, n, level)
    decided = HOLDS if holds else FAILS
    return {
        "level": level,
        "ci_low": low,
        "ci_high": high,
        "p_holm": adjusted,
        "detectable": detectable(std, n, level),
        "verdict": decided if adjusted <= alpha else OPEN,
    }


def _unit(measure: Measure, claim: Mapping) -> str:
    """The unit of an effect: of a slope it is one a step of the sweep."""
    return f"{measure.unit} a step".strip() if claim["along"] else measure.unit


def values_at(rows: Sequence[Mapping], measure: Measure, place: Mapping) -> Values:
    """The values of a measure in the rows of its table that ``place`` names.

    One that is not finite, as what is not defined of a set, counts as none.
    """
    found: Values = {}
    for row in rows:
        if row["status"] != MEASURED or any(row[key] != value for key, value in place.items()):
            continue
        value = row[measure.column]
        if math.isfinite(value):
            key = tuple(row[name] for name in KEYS if name in row)
            found.setdefault(row["replicate"], {})[key] = value
    return found


def by_replicate(places: Sequence[Values]) -> list[list[float]]:
    """Of each replicate that all places have, the mean of each over its sets and students.

    Only sets and students count that all places have in it: of ablations and sweeps there are
    fewer students than of the main table.
    """
    means = []
    for replicate, first in places[0].items():
        own = [place.get(replicate, {}) for place in places]
        keys = [key for key in first if all(key in values for values in own)]
        if keys:
            means.append([statistics.fmean(values[key] for key in keys) for values in own])
    return means


def slope(values: Sequence[float]) -> float:
    """Slope of the straight line of least squares through values at the ranks 0, 1, …"""
    return float(np.polyfit(range(len(values)), values, 1)[0])
