"""What the study was to decide: effects, tests and verdicts of its claims, from the single rows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import integrate, optimize, special, stats

from lighthouse.parts.measures import MEASURES
from lighthouse.report.audit.claims import NAN, Claim, Results, key, known, measured, named, same
from lighthouse.report.audit.numbers import deviation, holm, mean
from lighthouse.tables import MISSING

TABLE = "tables/claims.csv"
NAMES = ("dataset", "claim")
#: Chance at which ``detectable`` is told.
POWER = 0.8
#: Share of the largest value behind it below which a deviation counts as none.
NONE_BELOW = 5e-6


class Evidence(NamedTuple):
    """What the rows of a measure's table say of a claim, by replicate.

    effects: differences or slopes. sides: the means of both sides. largest: of all values.
    """

    effects: list[float]
    sides: list[tuple[float, float]]
    largest: float

    @property
    def p(self) -> float:
        """Of a two-sided t-test of the effects against 0; NaN where they do not vary."""
        n, spread = len(self.effects), deviation(self.effects)
        if n < 2 or spread <= NONE_BELOW * self.largest:
            return NAN
        return float(2 * stats.t.sf(abs(mean(self.effects)) / spread * math.sqrt(n), n - 1))


def effects_of_claims(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Effects of claims are means over replicates of differences, or slopes, of single rows."""
    for row, claim, evidence in _evidence(results, grid):
        effects, measure = evidence.effects, MEASURES[claim["measure"]]
        unit = f"{measure.unit} a step".strip() if claim["along"] else measure.unit
        words = {name: claim[name] for name in claim if name not in ("rises", "places")}
        basis = "count" if measure.counted else "test"
        yield from same(TABLE, row, NAMES, {**words, "unit": unit, "basis": basis})
        first, second = zip(*evidence.sides, strict=True) if evidence.sides else ((), ())
        expected = {
            "n_replicates": len(effects),
            "value_of": NAN if claim["along"] else mean(first),
            "value_against": NAN if claim["along"] else mean(second),
            "effect": mean(effects),
            "std_difference": deviation(effects),
        }
        yield from same(TABLE, row, NAMES, expected, behind=[evidence.largest])


def families_of_claims(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Levels, intervals and p of claims are Holm's over the tested claims of one dataset."""
    for row, p, adjusted, level, evidence in _families(results, grid):
        expected = {"p": p, "p_holm": adjusted, "level": level}
        low = high = least = NAN
        if p == p:
            n, spread = len(evidence.effects), deviation(evidence.effects)
            error, bound = spread / math.sqrt(n), float(stats.t.ppf(1 - level / 2, n - 1))
            low, high = (mean(evidence.effects) + sign * bound * error for sign in (-1, 1))
            least = error * _shift(n - 1, bound)
        yield from same(TABLE, row, NAMES, expected)
        bounds = {"ci_low": low, "ci_high": high}
        yield from same(TABLE, row, NAMES, bounds, behind=[evidence.largest])
        yield from same(TABLE, row, NAMES, {"detectable": least}, behind=[evidence.largest])


def verdicts_of_claims(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A claim is decided where its corrected p is at most α, or counted, and nowhere else."""
    claims = {key(claim, NAMES): claim for claim in grid["claims"]}
    for row, p, adjusted, _, evidence in _families(results, grid):
        claim = claims[key(row, NAMES)]
        counted, effects = MEASURES[claim["measure"]].counted, evidence.effects
        alike = len(effects) == 1 or deviation(effects) <= NONE_BELOW * evidence.largest
        sign = 1 if claim["rises"] else -1
        verdict = "undecided"
        if not effects:
            verdict = MISSING
        elif (counted and alike) or adjusted <= grid["alpha"]:
            verdict = "holds" if sign * mean(effects) > 0 else "does not hold"
        yield from same(TABLE, row, NAMES, {"verdict": verdict})
        place, explained = (TABLE, named(row, NAMES)), p == p or (counted and alike)
        given = "a reason" if isinstance(row["note"], str) and row["note"] else "nothing"
        yield Claim(*place, "note", given, "nothing" if explained else "a reason")
        if p == p:
            apart = row["ci_low"] > 0 or row["ci_high"] < 0
            told = "decided" if row["verdict"] in ("holds", "does not hold") else "undecided"
            yield Claim(*place, "verdict", told, "decided" if apart else "undecided")


def _evidence(results: Results, grid: Mapping) -> list[tuple[Mapping, Mapping, Evidence]]:
    """Rows of claims.csv, each with its claim and what the measure's table says of it."""
    claims = {key(claim, NAMES): claim for claim in grid["claims"]}
    found = []
    for row in results.rows(TABLE):
        if claim := claims.get(key(row, NAMES)):  # others are told by ``every_row``
            found.append((row, claim, _of_claim(results, claim)))
    return found


def _of_claim(results: Results, claim: Mapping) -> Evidence:
    measure = MEASURES[claim["measure"]]
    rows = measured(results.rows(f"tables/{measure.table}.csv"))
    sides = [_values(rows, place, measure.column) for place in claim["places"]]
    shared = set.intersection(*map(set, sides))
    ranks = np.arange(len(sides)) - (len(sides) - 1) / 2
    weights = ranks / (ranks**2).sum() if claim["along"] else np.array([1.0, -1.0])
    effects, means = [], []
    for replicate in sorted({replicate for replicate, *_ in shared}):
        own = [one for one in shared if one[0] == replicate]
        values = np.array([[side[one] for one in own] for side in sides])
        effects.append(float((weights @ values).mean()))
        means.append((float(values[0].mean()), float(values[1].mean())))
    values = [abs(value) for side in sides for one, value in side.items() if one in shared]
    return Evidence(effects, means, max(values, default=0.0))


def _values(rows: Sequence[Mapping], place: Mapping, column: str) -> dict[tuple, float]:
    """A column's numbers in the rows of a place, by replicate, set and student."""
    wanted, found = key(place, tuple(place)), {}
    for row in rows:
        if key(row, tuple(place)) == wanted and known([row[column]]):
            one = row["replicate"], row.get("seed", 0), row.get("student_seed", 0)
            found[one] = row[column]
    return found


def _families(results: Results, grid: Mapping) -> Iterator[tuple]:
    """Rows of claims.csv with p, Holm's p and level, and the evidence."""
    found = _evidence(results, grid)
    for dataset in dict.fromkeys(row["dataset"] for row, *_ in found):
        own = [(row, claim, one) for row, claim, one in found if row["dataset"] == dataset]
        values = [NAN if MEASURES[c["measure"]].counted else one.p for _, c, one in own]
        adjusted = holm(values)
        order = sorted(known(values))
        rejected = sum(p <= grid["alpha"] for p in known(adjusted))
        for (row, _, one), p, corrected in zip(own, values, adjusted, strict=True):
            level = NAN
            if p == p:
                level = grid["alpha"] / (len(order) - min(order.index(p), rejected))
            yield row, p, corrected, level, one


def _shift(df: int, bound: float) -> float:
    """By how much t of ``df`` must be off centre to be beyond ±bound with the chance ``POWER``."""

    # The density of a deviation over its own, s: scipy's takes a hundred times as long.
    log_scale = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)

    def hidden(s: float, shift: float) -> float:
        if s <= 0:
            return 0.0
        within = special.ndtr(bound * s - shift) - special.ndtr(-bound * s - shift)
        return within * math.exp(log_scale + (df - 1) * math.log(s) - df * s * s / 2)

    def lack(shift: float) -> float:
        bends = [shift / bound, min(shift / bound + 10 / bound, 7.0)]
        missed, _ = integrate.quad(hidden, 0, 8, args=(shift,), points=bends, limit=400)
        return 1 - missed - POWER

    return float(optimize.brentq(lack, 1e-6, 2 * bound + 8))
