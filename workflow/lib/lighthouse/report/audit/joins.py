"""What one table takes from another: diversity, distances, cost and published figures."""

from collections.abc import Iterator, Mapping, Sequence

from lighthouse.report.audit.claims import (
    NAN,
    Claim,
    Results,
    grouped,
    key,
    known,
    same,
)
from lighthouse.report.audit.numbers import mean
from lighthouse.report.audit.rows import BOARD, SET
from lighthouse.tables import CELL, MISSING

BOARD_TABLE = "tables/leaderboard.csv"
#: Measures of a set, of which other tables show means over seeds.
MEASURES = (
    "coverage",
    "precision",
    "recall",
    "density",
    "recognised",
    "nearest_latent",
    "nearest_feature",
    "log_det",
    "ssim",
)
#: What the leaderboard takes from the other tables' rows, by table.
TAKEN = {
    "tables/fid.csv": ("fid", "kid", "extractor"),
    "tables/cost.csv": ("seconds_per_image", "tuning_seconds"),
}


def measures_of_sets(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Measures of sets, from coverage to SSIM, are means over diversity.csv's seeds."""
    table = "tables/diversity.csv"
    sets = grouped(results.rows(table), CELL)
    lost = _lost(results, table, CELL)
    for shown, specs in ((BOARD_TABLE, "leaderboard"), ("tables/ablation.csv", "ablation")):
        cells = {key(spec, SET): spec for spec in grid[specs] if spec.get("run", True)}
        for row in results.rows(shown):
            cell = cells.get(key(row, SET))
            own = sets.get(key(cell, CELL), []) if cell else []
            expected = {name: mean(known(r.get(name) for r in own)) for name in MEASURES}
            if shown == BOARD_TABLE and cell and key(cell, CELL) in lost:
                expected = dict.fromkeys(MEASURES, MISSING)
            for name, value in expected.items():
                values = [r.get(name) for r in own]
                yield from same(shown, row, BOARD, {name: value}, behind=values)


def distances_and_cost(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The leaderboard's Fréchet and kernel distances are fid.csv's, its seconds cost.csv's."""
    run = {key(spec, SET) for spec in grid["leaderboard"] if spec["run"]}
    for table, columns in TAKEN.items():
        rows = {key(row, SET): row for row in results.rows(table)}
        lost = _lost(results, table, SET)
        for row in results.rows(BOARD_TABLE):
            place = key(row, SET)
            source = rows.get(place, {}) if place in run else {}
            expected = {name: source.get(name, NAN) for name in columns}
            if place in run and place in lost:
                shown = [name for name in columns if name != "extractor"]
                expected = dict.fromkeys(shown, MISSING)
            yield from same(BOARD_TABLE, row, BOARD, expected)


def _lost(results: Results, table: str, columns: Sequence[str]) -> set[tuple]:
    """What of a table is missing, by the columns that name its rows."""
    return {key(row, columns) for row in results.rows(table) if row.get("status") == MISSING}


def published_figures(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A published figure is one of the list's, of its own protocol where the list has one."""
    names = {key(spec, SET): spec["published_as"] for spec in grid["leaderboard"]}
    for row in results.rows(BOARD_TABLE):
        family = names.get(key(row, SET))
        listed = [
            {
                "published": figure["top1"],
                "published_std": figure["std"],
                "published_protocol": figure["protocol"],
                "published_source": figure["source"],
            }
            for figure in results.published
            if figure["dataset"] == family
            and key(figure, ("student", "method", "ipc")) == key(row, ("student", "method", "ipc"))
        ]
        own = [figure for figure in listed if is_variant(row["protocol"], figure)]
        columns = ("published", "published_std", "published_protocol", "published_source")
        expected = (own or listed or [dict.fromkeys(columns, NAN)])[0]
        yield from same(BOARD_TABLE, row, BOARD, expected)


def is_variant(protocol: str, figure: Mapping) -> bool:
    """Whether a protocol is the published one, or named as a variant of it (rded-imagenet)."""
    published = figure["published_protocol"]
    return protocol == published or protocol.startswith(published + "-")
