"""What the leaderboard's pages say in words: who is first, over how many trainings, by how much."""

import re
from collections.abc import Iterator, Mapping, Sequence

from lighthouse.report.audit.claims import Claim, Results, known, measured
from lighthouse.report.audit.joins import is_variant
from lighthouse.report.audit.numbers import mean
from lighthouse.report.audit.parsed import plain
from lighthouse.report.audit.rendered import boards, shown_as, synthetic
from lighthouse.report.audit.rows import is_ceiling

FIRST = re.compile(r"At IPC (\S+), (.+?) has the highest mean \(([\d.]+) %\)(.*)\.")
ALIKE = re.compile(r", not distinguishable from .+ \(([+−][\d.]+) points\)")
JUDGED = re.compile(r", (better|worse) than .+ \(([\d.]+) points, p = ([\d.e-]+)\)")
UNTESTED = re.compile(r", ([+−][\d.]+) points against .+, not tested \(")
RIVAL = re.compile(r"; (.+) has ([\d.]+) %, more than any synthetic set")
TRAININGS = re.compile(
    r"standard deviation over (.+?) trainings \(replicates × sets in each"
    r" × students a set\)"
)
SOURCES = {
    "std_replicates": "replicates",
    "std_sets": "sets in one",
    "std_students": "students of a set",
}
SPREAD = re.compile(r"(replicates|sets in one|students of a set) ([\d.]+)[,\s]")
LEVEL = re.compile(r"corrected by Holm over the comparisons of one column, at ([\d.e-]+)\.")
ELSEWHERE = re.compile(r"Published elsewhere, without a row here: (.*)")
FIGURE = re.compile(r"(?:^|, )([^,]+?) ([\d.]+)(?: ± [\d.]+)? \(IPC (\w+)\)")


def first_of_each_ipc(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The sentence on each IPC names the synthetic set of the highest mean, and its numbers."""
    real = {spec["method"] for spec in grid["leaderboard"] if spec["real"]}
    for page, sheet, rows in boards(results):
        if page.endswith(".tex"):
            continue  # a caption has no findings
        said = {found[1]: found for found in map(FIRST.fullmatch, sheet.sentences) if found}
        for ipc in sorted({row["ipc"] for row in rows if not is_ceiling(row)}):
            made = synthetic(rows, real, ipc)
            place = (page, f"{sheet.title}, the sentence on IPC {ipc}")
            yield Claim(*place, "sentences", int(str(ipc) in said), int(bool(made)))
            if made and str(ipc) in said:
                best = max(made, key=lambda row: row["top1_mean"])
                others = [r for r in measured(rows) if r["ipc"] == ipc and r["method"] in real]
                yield from _first(place, said[str(ipc)], best, others)


def _first(
    place: tuple[str, str], said: re.Match, best: Mapping, real: Sequence[Mapping]
) -> Iterator[Claim]:
    yield Claim(*place, "label", plain(said[2]), plain(best["label"]))
    yield shown_as(*place, "top1_mean", said[3], best["top1_mean"], 0.05)
    patterns = (ALIKE, JUDGED, UNTESTED, RIVAL)
    alike, judged, untested, rival = (pattern.search(said[4]) for pattern in patterns)
    words = (alike, "not distinguishable"), (judged, judged and judged[1]), (untested, "not tested")
    verdict = next((word for found, word in words if found), "none")
    compared = best["verdict"] in ("better", "worse", "not distinguishable", "not tested")
    yield Claim(*place, "verdict", verdict, best["verdict"] if compared else "none")
    for found in filter(None, (alike, untested)):
        yield shown_as(*place, "difference", found[1], best["difference"], 0.05)
    if judged:
        yield shown_as(*place, "difference", judged[2], abs(best["difference"]), 0.05)
        yield shown_as(*place, "p_holm", judged[3], best["p_holm"], 0.05 * best["p_holm"])
    ahead = max(real, key=lambda row: row["top1_mean"], default=best)
    beaten = ahead["top1_mean"] > best["top1_mean"]
    words = plain(rival[1]) if rival else "none"
    yield Claim(*place, "real images ahead", words, plain(ahead["label"]) if beaten else "none")
    if rival and beaten:
        yield shown_as(*place, "top1_mean of real images", rival[2], ahead["top1_mean"], 0.05)


def notes_of_pages(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The notes' trainings, spread and level are the CSV's and the config's."""
    for page, sheet, rows in boards(results):
        place = (page, f"{sheet.title}, the notes")
        done = measured(rows)
        text = " ".join(sheet.sentences)
        counts = dict.fromkeys(
            f"{row['n_replicates']} × {row['n_seeds'] // row['n_replicates']} × {row['n_students']}"
            for row in done
            if not is_ceiling(row)
        )
        found = TRAININGS.search(text)
        yield Claim(*place, "trainings", found[1] if found else "", " or ".join(counts))
        for row in filter(is_ceiling, done):
            told = re.search(rf"{re.escape(row['label'])}: over (\d+) trainings\.", text)
            what = f"trainings of {row['label']}"
            yield Claim(*place, what, told and int(told[1]), row["n_students"])
        yield from _spread(place, text, done)
        for level in LEVEL.findall(text):
            yield Claim(*place, "alpha", float(level), grid["alpha"])


def _spread(place: tuple[str, str], text: str, rows: Sequence[Mapping]) -> Iterator[Claim]:
    """The root mean squares of the parts of the spread that are known, each named once."""
    shown = dict(SPREAD.findall(text))
    for name, words in SOURCES.items():
        values = known(row[name] for row in rows)
        if values:
            expected = mean([value**2 for value in values]) ** 0.5
            yield shown_as(*place, f"spread of {name}", shown.pop(words, ""), expected, 0.05)
    yield Claim(*place, "further parts of the spread", len(shown), 0)


def published_elsewhere(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Figures of methods without a row are those of the list, of this dataset and student."""
    families = {(s["dataset"], s["published_as"]) for s in grid["leaderboard"]}
    for page, sheet, rows in boards(results):
        for note in filter(None, map(ELSEWHERE.search, sheet.sentences)):
            for method, top1, ipc in FIGURE.findall(note[1]):
                place = (page, f"{sheet.title}, method {method}, ipc {ipc}")
                listed = [
                    figure["top1"]
                    for figure in results.published
                    if (rows[0]["dataset"], figure["dataset"]) in families
                    and figure["student"] == rows[0]["student"]
                    and plain(figure["method"]) == plain(method)
                    and str(figure["ipc"]) == ipc
                    and is_variant(rows[0]["protocol"], {"published_protocol": figure["protocol"]})
                ]
                nearest = min(listed, key=lambda one: abs(one - float(top1)), default="not listed")
                yield shown_as(*place, "published", top1, nearest, 0.05)
