"""The leaderboard's pages show what its CSV holds: every figure, mark and word, read back."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from lighthouse.report.audit.claims import NAN, Claim, Results, grouped, key, known, named, slack
from lighthouse.report.audit.joins import is_variant
from lighthouse.report.audit.parsed import (
    Cell,
    Sheet,
    html_sheets,
    latex_sheets,
    markdown_sheets,
    plain,
)
from lighthouse.report.audit.rows import BOARD, is_ceiling
from lighthouse.tables import MEASURED, NOT_RUN

TABLE = "tables/leaderboard.csv"
PAGES: dict[str, Callable[[str], list[Sheet]]] = {
    "tables/leaderboard.md": markdown_sheets,
    "tables/leaderboard.tex": latex_sheets,
    "tables/leaderboard.html": html_sheets,
}
MARKS = {"better": "↑", "worse": "↓", "not distinguishable": "≈"}
PANEL = ("dataset", "protocol", "student")
#: Measures beside accuracy on the page, by their headings: column, digits, and whether these
#: count behind the point or are significant ones.
MEASURES = {
    "HLR": ("hlr", 1, "f"),
    "IOR": ("ior", 1, "f"),
    "LRS": ("lrs", 1, "f"),
    "coverage": ("coverage", 3, "f"),
    "precision": ("precision", 3, "f"),
    "recall": ("recall", 3, "f"),
    "density": ("density", 3, "f"),
    "recognised": ("recognised", 3, "f"),
    "nearest real, latents": ("nearest_latent", 3, "f"),
    "nearest real, features": ("nearest_feature", 3, "f"),
    "log det K": ("log_det", 3, "g"),
    "SSIM": ("ssim", 3, "f"),
    "Fréchet distance": ("fid", 4, "g"),
    "KID": ("kid", 3, "g"),
    "seconds an image": ("seconds_per_image", 3, "g"),
    "seconds of tuning": ("tuning_seconds", 3, "g"),
}


def boards(results: Results) -> Iterator[tuple[str, Sheet, list[Mapping]]]:
    """Every sheet of every page, with the rows of the CSV that it shows."""
    rows = list(grouped(results.rows(TABLE), PANEL).values())
    for page, text in results.pages.items():
        for sheet, own in zip(PAGES[page](text), rows, strict=False):
            yield page, sheet, own


def pages_show_the_boards(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Markdown, LaTeX and page have a table for each dataset, student and protocol, no other."""
    rows = list(grouped(results.rows(TABLE), PANEL).values())
    for page, text in results.pages.items():
        yield Claim(page, "", "tables", len(PAGES[page](text)), len(rows))
    for page, sheet, own in boards(results):
        dataset, protocol, student = key(own[0], PANEL)
        title = plain(f"{dataset}, student {student}, protocol {protocol}")
        yield Claim(page, sheet.title, "title", plain(sheet.title), title)
        labels = list(dict.fromkeys(plain(row["label"]) for row in _in_order(own)))
        found = list(dict.fromkeys(plain(label) for label, _ in sheet.lines))
        yield Claim(page, sheet.title, "methods", ", ".join(found), ", ".join(labels))
        sizes = [str(ipc) for ipc in _sizes(own)]
        yield Claim(page, sheet.title, "IPCs", ", ".join(sheet.ipcs), ", ".join(sizes))


def figures_of_pages(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Every mean ± deviation, mark, bold figure and published one of the pages is the CSV's."""
    real = {spec["method"] for spec in grid["leaderboard"] if spec["real"]}
    for page, sheet, own in boards(results):
        lines = list(grouped(_in_order(own), ("method",)).values())
        best = _best(own, real)
        for (_, cells), rows in zip(sheet.lines, lines, strict=False):
            by_ipc = {row["ipc"]: row for row in rows}
            for ipc, cell in zip(_sizes(own), cells, strict=False):
                row = rows[0] if is_ceiling(rows[0]) else by_ipc.get(ipc)
                row = row or {**rows[0], "ipc": ipc, "status": NOT_RUN, "published": NAN}
                is_best = any(row is one for one in best.get(ipc, ()))
                yield from _cell(page, sheet, cell, row, is_best)


def _sizes(rows: Sequence[Mapping]) -> list[int]:
    return sorted({row["ipc"] for row in rows if not is_ceiling(row)})


def _in_order(rows: Sequence[Mapping]) -> list[Mapping]:
    """Rows as the pages have them: the ceilings last."""
    return sorted(rows, key=is_ceiling)


def synthetic(rows: Sequence[Mapping], real: set[str], ipc: int) -> list[Mapping]:
    """Measured rows of images that are not real ones, of one IPC."""
    return [
        row
        for row in rows
        if row["ipc"] == ipc and row["status"] == MEASURED and row["method"] not in real
    ]


def _best(rows: Sequence[Mapping], real: set[str]) -> dict[int, list[Mapping]]:
    """By IPC, the synthetic rows of the highest mean."""
    best = {}
    for ipc in _sizes(rows):
        made = synthetic(rows, real, ipc)
        highest = max((row["top1_mean"] for row in made), default=NAN)
        best[ipc] = [row for row in made if row["top1_mean"] == highest]
    return best


def _cell(page: str, sheet: Sheet, cell: Cell, row: Mapping, is_best: bool) -> Iterator[Claim]:
    place = (page, named(row, BOARD))
    if row["status"] != MEASURED:
        yield Claim(*place, "status", cell.text, row["status"])
    else:
        yield from _figure(place, ("top1_mean", "top1_std"), cell.text, row)
        yield Claim(*place, "mark", cell.mark, MARKS.get(row["verdict"], ""))
    yield Claim(*place, "bold", cell.bold, is_best)
    if row["published"] != row["published"]:
        yield Claim(*place, "published", cell.published, "")
        return
    yield from _figure(place, ("published", "published_std"), cell.published, row)
    told, source = plain(sheet.sources.get(cell.note, "")), plain(row["published_source"])
    yield Claim(*place, "published_source", told[: len(source)], source)
    other = (
        "" if is_variant(row["protocol"], row) else plain(f"under{row['published_protocol']}not")
    )
    yield Claim(*place, "published_protocol", told[len(source) :][: len(other)], other)


def _figure(
    place: tuple[str, str], columns: tuple[str, str], text: str, row: Mapping
) -> Iterator[Claim]:
    """Claims of a mean and, where there is one, its deviation, to a tenth."""
    mean, _, deviation = text.partition(" ± ")
    for column, shown in zip(columns, (mean, deviation), strict=True):
        yield shown_as(*place, column, shown, row[column], 0.05)


def shown_as(page: str, row: str, column: str, text: str, expected: object, half: float) -> Claim:
    """A claim that a text is a number, rounded by at most ``half``."""
    return Claim(page, row, column, _number(text), expected, half + slack(expected))


def _number(text: str) -> object:
    try:
        return float(text.replace("−", "-"))
    except ValueError:
        return text


def scores_of_the_page(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The Markdown's label-robust scores are the CSV's, as rounded, where a row has one."""
    for page, sheet, own in boards(results):
        if not page.endswith(".md"):
            continue
        of_sets = [row for row in own if not is_ceiling(row)]
        lines = list(grouped(of_sets, ("method",)).values())
        shown = lines if known(row["lrs"] for row in of_sets) else []
        yield Claim(page, sheet.title, "scores", len(sheet.scores), len(shown))
        for (label, fields), rows in zip(sheet.scores, shown, strict=False):
            yield Claim(page, sheet.title, "label", plain(label), plain(rows[0]["label"]))
            by_ipc = {row["ipc"]: row for row in rows}
            for ipc, text in zip(_sizes(own), fields, strict=False):
                row = by_ipc.get(ipc, {**rows[0], "ipc": ipc, "lrs": NAN, "lrs_std": NAN})
                place = (page, named(row, BOARD))
                if known([row["lrs"]]):
                    yield from _figure(place, ("lrs", "lrs_std"), text, row)
                else:
                    yield Claim(*place, "lrs", text, "–")


def measures_of_the_page(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The page's tables of diversity, distances and cost hold the CSV's numbers, as rounded."""
    for page, sheet, own in boards(results):
        for ipc, (head, *lines) in sheet.beside.items():
            rows = [row for row in own if key(row, ("ipc",)) == (ipc,)]
            yield Claim(page, f"{sheet.title}, IPC {ipc}", "rows", len(lines), len(rows))
            for heading in head[1:]:
                known_one = heading if heading in MEASURES else "a measure that the audit knows"
                yield Claim(page, sheet.title, "heading", heading, known_one)
            for row, (label, *fields) in zip(rows, lines, strict=False):
                place = (page, named(row, BOARD))
                yield Claim(*place, "label", plain(label), plain(row["label"]))
                for heading, text in zip(head[1:], fields, strict=True):
                    if heading in MEASURES:
                        yield _measure(place, *MEASURES[heading], text, row)


def _measure(
    place: tuple[str, str], column: str, digits: int, kind: str, text: str, row: Mapping
) -> Claim:
    value = row[column]
    if not known([value]):
        words = row["status"] if row["status"] == NOT_RUN else "–"
        return Claim(*place, column, text, value if isinstance(value, str) else words)
    first = math.floor(math.log10(abs(value))) if value else 0
    half = 0.5 * 10.0 ** -(digits if kind == "f" else digits - 1 - first)
    return shown_as(*place, column, text, value, half)
