"""Comparisons: differences, tests, Holm's correction and verdicts, from the single trainings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lighthouse.report.audit.accuracy import shared_runs
from lighthouse.report.audit.claims import NAN, Claim, Results, grouped, key, same
from lighthouse.report.audit.numbers import Runs, accuracies, holm, judgement, off, paired, shared
from lighthouse.report.audit.rows import BOARD, COMPARISON, SET, TRAINING
from lighthouse.tables import MEASURED, MISSING, NOT_RUN

#: Comparisons that are corrected together: of one column of a table.
TOGETHER = ("dataset", "student", "protocol", "ipc")
SIGNIFICANCE, ABLATION, BOARD_TABLE = (
    f"tables/{name}.csv" for name in ("significance", "ablation", "leaderboard")
)
#: Columns in percentage points, which are as exact as the accuracies behind them.
POINTS = ("difference", "std_difference", "ci_low", "ci_high")


def paired_tests(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Differences, intervals and p of significance.csv are of paired t-tests over runs.csv."""
    for row, test, behind in _compared(results, grid):
        points = {name: test[name] for name in POINTS}
        rest = {name: value for name, value in test.items() if name not in POINTS}
        rounded = off(test, behind)
        yield from same(SIGNIFICANCE, row, COMPARISON, points, behind, rounded)
        yield from same(SIGNIFICANCE, row, COMPARISON, rest, off=rounded)


def corrected_verdicts(results: Results, grid: Mapping) -> Iterator[Claim]:
    """p_holm is Holm's over a column of significance.csv, and verdicts follow from it and α."""
    compared = _compared(results, grid)
    judged = _judged([(row, test) for row, test, _ in compared], grid["alpha"])
    rounded = _of_holm((test, behind) for _, test, behind in compared)
    for row, verdict in judged:
        yield from same(SIGNIFICANCE, row, COMPARISON, verdict, off=rounded)


def leaderboard_verdicts(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The leaderboard's differences and verdicts are those of significance.csv against the base."""
    rows = {key(row, COMPARISON): row for row in results.rows(SIGNIFICANCE)}
    for row in results.rows(BOARD_TABLE):
        against = rows.get(key({**row, "against": grid["base"]}, COMPARISON), {})
        expected = {name: against.get(name, NAN) for name in ("difference", "p_holm", "verdict")}
        if row["method"] == grid["base"] and row["status"] != NOT_RUN:
            expected["verdict"] = "base" if row["status"] == MEASURED else MISSING
        yield from same(BOARD_TABLE, row, BOARD, expected)


def ablation_verdicts(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Differences and verdicts of the ablation are against its first plain row."""
    specs = {key(spec, SET): spec for spec in grid["ablation"]}
    by_table = ("dataset", "student", "protocol", "ipc")
    runs_of = {key(row, BOARD): runs for row, runs in shared_runs(results, grid)}
    for rows in grouped(results.rows(ABLATION), by_table).values():
        known = [row for row in rows if key(row, SET) in specs]
        bare = [row for row in known if specs[key(row, SET)]["plain"]]
        tested = []
        for row in known:
            spec = specs[key(row, SET)]
            factors = {**spec["factors"], "coupling": spec["coupling"]}
            yield from same(ABLATION, row, BOARD, factors)
            if bare[:1] == [row] or not bare:
                words = "reference" if bare and row["status"] == MEASURED else MISSING
                fixed = {"difference": NAN, "p_holm": NAN, "verdict": words if bare else NAN}
                yield from same(ABLATION, row, BOARD, fixed)
            else:
                tested.append((row, _test(runs_of[key(row, BOARD)], runs_of[key(bare[0], BOARD)])))
        base = [*runs_of[key(bare[0], BOARD)].values()] if bare else []
        rounded = _of_holm(
            (test, [*runs_of[key(row, BOARD)].values(), *base]) for row, test in tested
        )
        for (row, test), (_, verdict) in zip(tested, _judged(tested, grid["alpha"]), strict=True):
            yield from same(ABLATION, row, BOARD, verdict, off=rounded)
            values = runs_of[key(row, BOARD)].values()
            expected = {"difference": test["difference"]}
            yield from same(ABLATION, row, BOARD, expected, behind=values)


def _compared(results: Results, grid: Mapping) -> list[tuple]:
    """Rows of significance.csv of the grid's cells, each with its test and its accuracies."""
    runs = accuracies(results.rows("tables/runs.csv"))
    cells = {key(cell, SET): cell for cell in grid["main"]}
    found = []
    for row in results.rows(SIGNIFICANCE):
        sides = [
            cells.get(key({**row, "method": row[side]}, SET)) for side in ("method", "against")
        ]
        if None in sides:
            continue  # told by ``every_row``
        first, second = (runs.get(key({**row, **side}, TRAINING), {}) for side in sides)
        found.append((row, _test(first, second), [*first.values(), *second.values()]))
    return found


def _test(first: Runs, second: Runs) -> dict[str, float]:
    return paired(*shared(first, second))


def _of_holm(tests: Iterable[tuple[Mapping, Sequence[float]]]) -> dict[str, float]:
    """By how much ``p_holm`` may be off, of tests and the values behind each: all p times m."""
    by = [off(test, behind).get("p", 0.0) for test, behind in tests]
    return {"p_holm": len(by) * max(by, default=0.0)}


def _judged(tests: Sequence[tuple[Mapping, Mapping]], alpha: float) -> list[tuple]:
    """Rows with the ``p_holm`` and ``verdict`` that their tests have, in the tests' order."""
    families: dict[tuple, list[int]] = {}
    for i, (row, _) in enumerate(tests):
        families.setdefault(key(row, TOGETHER), []).append(i)
    corrected = {}
    for members in families.values():
        values = holm([tests[i][1]["p"] for i in members])
        corrected |= dict(zip(members, values, strict=True))
    return [
        (row, {"p_holm": corrected[i], "verdict": _verdict(test, corrected[i], alpha)})
        for i, (row, test) in enumerate(tests)
    ]


def _verdict(test: Mapping, p: float, alpha: float) -> str:
    return judgement(test["difference"], p, alpha) if test["n_pairs"] else MISSING
