"""What methods cost: the numbers that a study fixes, and the seconds reckoned from others."""

import math
from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import (
    NAN,
    Claim,
    Results,
    Within,
    grouped,
    key,
    known,
    measured,
    named,
    same,
    slack,
)
from lighthouse.report.audit.numbers import mean
from lighthouse.report.audit.rows import SET, is_ceiling
from lighthouse.report.audit.tuning import SCALE
from lighthouse.report.audit.tuning import TABLE as TUNING
from lighthouse.tables import CELL, MEASURED, MISSING

TABLE, REPLICATES, FIGURE, BOARD_TABLE = (
    "tables/cost.csv",
    "tables/cost_replicates.csv",
    "figures/accuracy_vs_cost.csv",
    "tables/leaderboard.csv",
)
PANEL = ("dataset", "student", "protocol")
POINT = (*PANEL, "method", "ipc")
BEFORE = ("base", "preparation", "tuning")
WORK = ("evaluations_per_image", "gradients_per_image", "computed_per_image")


def cost_of_sets(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Classes are the dataset's, images fill them all, a base prior costs each method the same."""
    base = grouped(measured(results.rows(TABLE)), ("dataset",))
    for rows in base.values():
        first = next(iter(known(row["base_seconds"] for row in rows)), NAN)
        for row in rows:
            classes = grid["classes"][row["dataset"]]
            yield from same(TABLE, row, SET, {"classes": classes})
            for seconds in known([row["base_seconds"]]):
                yield from same(
                    TABLE, {**row, "base_seconds": seconds}, SET, {"base_seconds": first}
                )
            for images in known([row["images"]]):
                place = (TABLE, named(row, SET), "images")
                sets = images / (classes * row["ipc"])
                yield Claim(*place, images % classes, 0)
                yield Claim(*place, sets, Within(1, math.inf))


def work_of_images(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Sampled images take as many passes of the denoiser as the sampler's steps say, others none.

    One a step, and another without a class at a guidance scale above 1, which is the config's or
    the one chosen. Terms that ask the denoiser themselves add some, as many as declared at most: of
    a class of few real images they are fewer. All as many times as images are sampled for each that
    a selection keeps. Of sets made elsewhere none is known.
    """
    rows = measured(results.rows(TUNING))
    chosen = {row["dataset"]: row.get(SCALE, NAN) for row in rows if _chooses_a_scale(row)}
    # A sweep's cells have other steps or scales; the table is of none of them.
    own = {key(cell, CELL) for cell in grid["tables"]}
    sampled = {key(cell, SET): cell for cell in grid["sampled"] if key(cell, CELL) in own}
    without = {key(cell, SET) for cell in grid["undenoised"]}
    for row in measured(results.rows(TABLE)):
        place = (TABLE, named(row, SET))
        found = {name: row.get(name, "no such column") for name in WORK}
        evaluations = found["evaluations_per_image"]
        if key(row, SET) in sampled:
            cell = sampled[key(row, SET)]
            scale = chosen.get(row["dataset"], NAN) if cell["scale"] is None else cell["scale"]
            asked = cell["steps"] * (1 if scale == 1 else 2) * cell["sampled"]
            most = asked + cell["terms"] * cell["sampled"]
            yield Claim(
                *place, WORK[0], evaluations, Within(asked, most) if cell["terms"] else asked
            )
            back = Within(0, most) if cell["back"] or cell["terms"] else 0
            yield Claim(*place, WORK[1], found[WORK[1]], back)
            yield Claim(*place, WORK[2], found[WORK[2]], Within(asked, math.inf))
        else:
            expected = 0 if key(row, SET) in without else NAN
            yield from same(TABLE, row, SET, dict.fromkeys(WORK, expected))


def _chooses_a_scale(row: Mapping) -> bool:
    return row["chosen"] == "yes" and bool(known([row.get(SCALE)]))


def cost_of_replicates(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A cell's seconds are the mean over its replicates, which have equally many images.

    What an image asks of a denoiser is the same in each of them.
    """
    costs = {key(row, SET): row for row in results.rows(TABLE)}
    for place, rows in grouped(results.rows(REPLICATES), SET).items():
        cost = costs.get(place, {})
        seconds = known(row["seconds_per_image"] for row in rows)
        expected, found = mean(seconds), cost.get("seconds_per_image", NAN)
        where = (TABLE, named(rows[0], SET), "seconds_per_image")
        yield Claim(*where, found, expected, slack(expected, *seconds))
        for row in rows:
            made = known([row["seconds_per_image"]])
            work = {name: cost.get(name, NAN) if made else NAN for name in WORK[:2]}
            status = MEASURED if made else MISSING
            yield from same(REPLICATES, row, (*SET, "replicate"), {**work, "status": status})


def cost_in_all(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Accuracy against cost: seconds in all are an image's and its share of what precedes it.

    That is the seconds of the base prior, the preparation and the tuning over the ipc × classes
    images of one set, with the classes that the dataset has.
    """
    costs = {key(row, SET): row for row in results.rows(TABLE)}
    boards = {key(row, POINT): row for row in results.rows(BOARD_TABLE)}
    for row in results.rows(FIGURE):
        board, cost = boards.get(key(row, POINT), {}), costs.get(key(row, SET), {})
        expected = {name: board.get(name, NAN) for name in ("label", "top1_mean", "top1_std")}
        if is_ceiling(row):
            expected |= dict.fromkeys(("seconds_per_image", "seconds_in_all"), NAN)
        else:
            seconds = cost.get("seconds_per_image", NAN)
            before = sum(known(cost.get(f"{part}_seconds") for part in BEFORE))
            images = row["ipc"] * grid["classes"][row["dataset"]]
            expected |= {"seconds_per_image": seconds, "seconds_in_all": seconds + before / images}
        yield from same(FIGURE, row, POINT, expected)


def points_of_cost(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Accuracy against cost has every method with both, at the IPC that most methods have."""
    costs = {key(row, SET): row for row in measured(results.rows(TABLE))}
    drawn = grouped(results.rows(FIGURE), POINT)
    for rows in grouped(measured(results.rows(BOARD_TABLE)), PANEL).values():
        sizes = [row["ipc"] for row in rows if not is_ceiling(row)]
        if not sizes:
            continue
        at = max(sizes, key=lambda ipc: (sizes.count(ipc), ipc))
        for row in rows:
            cost = costs.get(key(row, SET), {})
            has_cost = row["ipc"] == at and sum(known([cost.get("seconds_per_image")])) > 0
            count = len(drawn.pop(key(row, POINT), ()))
            yield Claim(FIGURE, named(row, POINT), "rows", count, int(has_cost or is_ceiling(row)))
    for left in drawn.values():
        yield Claim(FIGURE, named(left[0], POINT), "rows", len(left), 0)
