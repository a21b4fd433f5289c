"""The leaderboard's label-robust scores, reckoned again from the single trainings."""

import math
from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import NAN, Claim, Results, key, same
from lighthouse.report.audit.numbers import Runs, accuracies, deviation, mean, shared
from lighthouse.report.audit.rows import BOARD, SET, TRAINING, is_ceiling
from lighthouse.tables import CELL, NOT_RUN

TABLE = "tables/leaderboard.csv"
#: In points: those of a difference of two means.
COLUMNS = ("hlr", "ior", "lrs", "lrs_std", "full_hard")


def scores_of_labels(results: Results, grid: Mapping) -> Iterator[Claim]:
    """HLR, IOR and LRS are of the trainings of runs.csv, under hard labels and the row's own."""
    runs, labels = accuracies(results.rows("tables/runs.csv")), grid["labels"]
    cells = {key(spec, SET): spec for spec in grid["leaderboard"] if spec["run"]}

    def of(row: Mapping, **other: object) -> Runs:
        """The trainings of a row's cell, or of one that differs from it in something."""
        place = {**row, **other}
        cell = cells.get(key(place, SET))
        if cell is None:
            return {}
        return runs.get(key({**place, **{name: cell[name] for name in CELL}}, TRAINING), {})

    for row in results.rows(TABLE):
        own = of(row)
        if is_ceiling(row) or row["status"] == NOT_RUN or not own:
            blank = dict.fromkeys((*COLUMNS, "hard_protocol", "full_hard_from"), NAN)
            yield from same(TABLE, row, BOARD, blank)
            continue
        hard = labels["hard"][row["protocol"]]
        with_hard = of(row, protocol=hard) if hard else {}
        random = of(row, method=labels["random"])
        full = list(of(row, protocol=hard, method="full", ipc="all").values()) if hard else []
        given = labels["full"].get(row["dataset"], {}).get(row["student"], NAN) if hard else NAN
        level = mean(full) if full else given
        expected = _scores(own, random, with_hard, level)
        words = {
            "hard_protocol": hard or NAN,
            "full_hard_from": "ceiling" if full else NAN if math.isnan(given) else "config",
        }
        behind = [*own.values(), *random.values(), *with_hard.values(), *full]
        yield from same(TABLE, row, BOARD, expected | {"full_hard": level}, behind)
        yield from same(TABLE, row, BOARD, words)


def _scores(own: Runs, random: Runs, with_hard: Runs, full: float) -> dict[str, float]:
    """The columns in points. LRS is (e^(α + 1) - 1) / (e² - 1), 2α the difference of both."""
    both = sorted({training[0] for training in own.keys() & random.keys()})
    gains = {
        replicate: first - second
        for replicate, first, second in zip(both, *shared(own, random), strict=True)
    }
    lacks = {
        replicate: full - mean([v for place, v in with_hard.items() if place[0] == replicate])
        for replicate in sorted({training[0] for training in with_hard})
        if not math.isnan(full)
    }
    scores = [
        100 * math.expm1(1 + (gains[replicate] - lack) / 200) / math.expm1(2)
        for replicate, lack in lacks.items()
        if replicate in gains
    ]
    return {
        "hlr": mean(list(lacks.values())),
        "ior": mean(list(gains.values())),
        "lrs": mean(scores),
        "lrs_std": deviation(scores),
    }
