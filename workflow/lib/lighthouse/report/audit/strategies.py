"""The strategies' points and tests, reckoned again from the measures of its single classes."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
from scipy import stats

from lighthouse.report.audit.claims import (
    NAN,
    Claim,
    Results,
    grouped,
    key,
    known,
    measured,
    named,
    slack,
)
from lighthouse.report.audit.numbers import CONFIDENCE, mean
from lighthouse.report.audit.rows import (
    CLASSES,
    MEASURES,
    PICKED,
    POINT,
    TEST,
    counted,
    points_of,
)
from lighthouse.tables import CELL, MISSING

FIGURE, TESTS, SETS = "figures/strategies.csv", "tables/strategies.csv", "tables/diversity.csv"
MAP, LIT = "figures/strategies_map.csv", ("dataset", "class", "strategy")
#: Real images of which a map shows all.
MOST_SHOWN = 2000


def strategies_points(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The strategies' points are means over the classes of its sets, each point once."""
    if FIGURE not in results.tables:
        return
    classes = _classes(results)
    yield from counted(FIGURE, results.rows(FIGURE), POINT, _points(results, grid))
    for row in results.rows(FIGURE):
        own = classes.get(key(row, POINT), [])
        place = (FIGURE, named(row, POINT))
        of_all = grid["classes"].get(row["dataset"])
        yield Claim(*place, "classes behind it", len({one["class"] for one in own}), of_all)
        for measure in MEASURES:
            values = [one[measure] for one in own]
            expected = mean(values)
            yield Claim(*place, measure, row[measure], expected, slack(expected, *values))


def strategies_volumes(results: Results, grid: Mapping) -> Iterator[Claim]:
    """log det of the strategies' sampled sets is that of the same sets in diversity.csv."""
    cells = grid["strategies"]["cells"] if grid["strategies"] else {}
    sets = {key(row, (*CELL, "seed")): row for row in results.rows(SETS)}
    for row in results.rows(FIGURE):
        cell = cells.get(row["dataset"], {}).get(row["strategy"])
        source = sets.get(key({**cell, "seed": row["seed"]}, (*CELL, "seed"))) if cell else None
        if source:
            expected = source["log_det"]
            place = (FIGURE, named(row, POINT))
            yield Claim(*place, "log_det", row["log_det"], expected, slack(expected))


def strategies_map(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The map has the set of each strategy shown; of real images as many are lit as it covers."""
    coverage = {
        key(row, (*LIT, "seed")): row["coverage"]
        for rows in _classes(results).values()
        for row in rows
    }
    first = grid["seeds"][0]
    for rows in grouped(results.rows(MAP), LIT[:2]).values():
        place = {name: rows[0][name] for name in LIT[:2]}
        cells = grid["strategies"]["cells"][place["dataset"]]
        strategies = [name for name in cells if name != "iid"]
        kinds = "+".join(dict.fromkeys(row["kind"] for row in rows))
        yield Claim(MAP, named(place, LIT[:2]), "kind", kinds, "+".join(["real", *strategies]))
        real = [row for row in rows if row["kind"] == "real"]
        for strategy in strategies:
            place = {**place, "strategy": strategy}
            drawn = sum(row["kind"] == strategy for row in rows)
            yield Claim(MAP, named(place, LIT), "rows", drawn, grid["strategies"]["ipc"])
            if len(real) >= MOST_SHOWN:
                continue  # a part of the class
            lit = mean([strategy in str(row["lit_by"]).split("+") for row in real])
            expected = coverage.get(key({**place, "seed": first}, (*LIT, "seed")), NAN)
            yield Claim(MAP, named(place, LIT), "lit_by", lit, expected, slack(expected))


def strategies_tests(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Differences of strategies, their intervals, p and verdicts follow from its points."""
    classes = _classes(results)
    for row in results.rows(TESTS):
        if row["status"] == MISSING:
            continue
        first, _, second = row["comparison"].partition(" - ")
        sides = [_by_replicate(classes, row, strategy) for strategy in (first, second)]
        if not all(sides):
            yield Claim(TESTS, named(row, TEST), "sets behind it", "none", "some")
            continue
        yield from _test(row, *sides)


def _classes(results: Results) -> dict[tuple, list[Mapping]]:
    return grouped(measured(results.rows(CLASSES)), POINT)


def _points(results: Results, grid: Mapping) -> list[dict]:
    """The points of the datasets that were measured: of a failed one the tests are missing."""
    there = {row["dataset"] for row in _flat(_classes(results))}
    datasets = (dataset for dataset in grid["strategies"]["cells"] if dataset in there)
    return [point for dataset in datasets for point in points_of(grid, dataset)]


def _flat(groups: Mapping[tuple, list[Mapping]]) -> list[Mapping]:
    return [row for group in groups.values() for row in group]


def _by_replicate(classes: Mapping[tuple, list[Mapping]], row: Mapping, strategy: str) -> dict:
    """Means over classes and sets by replicate; of picks that chosen by the measure itself, ""."""
    found: dict[object, list[float]] = {}
    for group in classes.values():
        one = group[0]
        picked = one["strategy"] in PICKED
        if (one["dataset"], one["strategy"]) != (row["dataset"], strategy):
            continue
        if not picked or one["chosen_by"] == row["measure"]:
            values = [each[row["measure"]] for each in group]
            found.setdefault("" if picked else one["replicate"], []).append(mean(values))
    return {replicate: mean(values) for replicate, values in found.items()}


def _test(row: Mapping, first: Mapping, second: Mapping) -> Iterator[Claim]:
    """Claims of one test. Its maker reads all digits: what 6 of them leave open is allowed."""
    place = (TESTS, named(row, TEST))
    differences = np.array([first[s] - second.get(s, second.get("", NAN)) for s in first])
    n, average = len(differences), float(differences.mean())
    std = float(differences.std(ddof=1)) if n > 1 else NAN
    step = slack(*known([*first.values(), *second.values()]))
    yield Claim(*place, "n", row["n"], n)
    yield Claim(*place, "difference", row["difference"], average, step)
    yield Claim(*place, "std", row["std"], std, step)
    if n > 1 and std <= 2 * step:
        return  # p and interval hang on digits that the tables do not keep
    low = high = p = NAN
    wide = narrow = 0.0
    if n > 1:
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) / math.sqrt(n)
        low, high, wide = average - reach * std, average + reach * std, step * (1 + reach)
        p = float(stats.ttest_1samp(differences, 0.0).pvalue)
        narrow = max(abs(p - other) for other in _p_range(n, abs(average), std, step))
    yield Claim(*place, "ci_low", row["ci_low"], low, wide)
    yield Claim(*place, "ci_high", row["ci_high"], high, wide)
    yield Claim(*place, "p", row["p"], p, narrow + slack(p))
    if n < 2 or min(abs(low), abs(high)) > wide:
        alike = "not tested" if n < 2 else "not distinguishable"
        expected = "yes" if low > 0 else "no" if high < 0 else alike
        yield Claim(*place, "holds", row["holds"], expected)


def _p_range(n: int, size: float, std: float, step: float) -> tuple[float, float]:
    """p of the t-test where difference and deviation are each off by ``step``."""
    statistics = (
        max(0.0, size - step) / (std + step) * math.sqrt(n),
        (size + step) / (std - step) * math.sqrt(n),
    )
    return tuple(float(2 * stats.t.sf(statistic, n - 1)) for statistic in statistics)
