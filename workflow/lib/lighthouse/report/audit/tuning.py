"""What is chosen on the validation part: that it is the best tried, what that gained and cost."""

from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import (
    NAN,
    Claim,
    Results,
    grouped,
    key,
    known,
    measured,
    named,
    same,
)
from lighthouse.report.audit.rows import SET
from lighthouse.tables import CELL

TABLE, COST_TABLE = "tables/tuning.csv", "tables/cost.csv"
#: The column of the weight of classifier-free guidance.
SCALE = "guidance_scale"


def weights_tried(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Candidates have the weights of the grid, 0 of the terms that a method has not.

    A guidance scale is theirs alone among which it is chosen. Each weight of a term is tried
    once, and so is each scale: no two candidates of a choice share one.
    """
    tried = {key(cell, CELL): cell["weights"] for cell in grid["candidates"]}
    names = {term["column"] for term in grid["terms"]} - set(CELL)
    for rows in grouped(results.rows(TABLE), SET).values():
        for row in rows:
            own = tried.get(key(row, CELL), {})
            expected = {name: own.get(name, 0.0) for name in names & row.keys()}
            expected |= {name: own.get(name, NAN) for name in {SCALE} & row.keys()}
            yield from same(TABLE, row, CELL, expected)
        for name in tried.get(key(rows[0], CELL), {}):
            count = len({row[name] for row in rows})
            yield Claim(TABLE, named(rows[0], SET), name, count, len(rows))


def weights_chosen(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Of each choice's candidates one is chosen: the best on the validation part.

    Of equals, to the digits that the table keeps, it is that whose weights are the fewest times
    above or below the natural units, and then that with the smaller ones; of guidance scales the
    least.
    """
    factors = {key(cell, CELL): cell["factors"].values() for cell in grid["candidates"]}
    for rows in grouped(measured(results.rows(TABLE)), SET).values():
        most = max(row["top1_val"] for row in rows)
        best = [row for row in rows if row["top1_val"] == most]
        chosen = min(best, key=lambda row: _away(factors.get(key(row, CELL), ())))
        for row in rows:
            expected = "yes" if row is chosen else "no"
            yield from same(TABLE, row, CELL, {"chosen": expected})


def _away(factors: object) -> tuple[float, float]:
    """How many times weights are above or below their units, in all; and their product."""
    times, product = 1.0, 1.0
    for factor in factors:
        times *= factor if factor > 1 else 1 / factor
        product *= factor
    return times, product


def gains_of_tuning(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The chosen row alone says by how much it is above the natural units, on either part.

    Of guidance scales that is by how much it is above the least.
    """
    natural = {
        key(cell, CELL) for cell in grid["candidates"] if set(cell["factors"].values()) == {1}
    }
    for rows in grouped(measured(results.rows(TABLE)), SET).values():
        (base,) = (row for row in rows if key(row, CELL) in natural)
        for row in rows:
            for part in ("val", "test"):
                before, behind = base[f"top1_{part}"], row[f"top1_{part}"]
                gain = behind - before if row["chosen"] == "yes" else NAN
                yield from same(TABLE, row, CELL, {f"gain_{part}": gain}, behind=(before, behind))


def seconds_of_tuning(results: Results, grid: Mapping) -> Iterator[Claim]:
    """What a method's tuning cost at an IPC is what its candidates took; 0 where none is tuned.

    Those of a guidance scale count in each row that is sampled with it. Of sets made elsewhere
    nothing is known.
    """
    of_scales = {key(cell, CELL) for cell in grid["candidates"] if SCALE in cell["weights"]}
    weights = [row for row in results.rows(TABLE) if key(row, CELL) not in of_scales]
    scales = [row for row in results.rows(TABLE) if key(row, CELL) in of_scales]
    tried, before = grouped(weights, SET), grouped(scales, ("dataset",))
    own = {key(cell, SET) for cell in (*grid["sampled"], *grid["undenoised"])}
    scaled = {key(cell, SET) for cell in grid["sampled"] if cell["scale"] is None}
    for row in measured(results.rows(COST_TABLE)):
        place, dataset = key(row, SET), key(row, ("dataset",))
        rows = [*tried.get(place, ()), *(before.get(dataset, ()) if place in scaled else ())]
        seconds = known(candidate["seconds"] for candidate in rows)
        expected = sum(seconds) if place in own else NAN
        yield from same(COST_TABLE, row, SET, {"tuning_seconds": expected}, behind=seconds)
