"""All checks, what they found, and how it is told."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lighthouse.report.audit import (
    accuracy,
    autoencoders,
    cost,
    decided,
    figures,
    guidance,
    joins,
    labels,
    prior_verdicts,
    priors,
    ranges,
    recommendation,
    rendered,
    rows,
    sentences,
    sets,
    spectra,
    strategies,
    tuning,
    verdicts,
)
from lighthouse.report.audit.claims import Claim, Results, Within
from lighthouse.tables import read_rows

#: Each makes its claims from the results and the study's ``config.expectations``. The first
#: line of its docstring says what must hold.
CHECKS: tuple[Callable[[Results, Mapping], Iterator[Claim]], ...] = (
    rows.every_row,
    rows.every_training,
    rows.replicates_of_sets,
    rows.what_is_run,
    accuracy.accuracy_of_runs,
    accuracy.leaderboard_of_runs,
    accuracy.ablation_of_runs,
    ranges.within_bounds,
    ranges.known_words,
    ranges.volumes,
    ranges.nearest_images,
    ranges.pairs_of_images,
    sets.numbers_of_images,
    sets.recognised_images,
    sets.distances_of_sets,
    sets.single_distances,
    sets.distinct_images,
    cost.cost_of_sets,
    cost.work_of_images,
    cost.cost_of_replicates,
    cost.cost_in_all,
    cost.points_of_cost,
    autoencoders.latents_of_autoencoders,
    autoencoders.noise_of_autoencoders,
    priors.priors_of_cost,
    priors.priors_of_sets,
    priors.losses_of_priors,
    prior_verdicts.shares_of_verdicts,
    prior_verdicts.words_of_verdicts,
    prior_verdicts.joins_of_verdicts,
    verdicts.paired_tests,
    verdicts.corrected_verdicts,
    verdicts.leaderboard_verdicts,
    labels.scores_of_labels,
    verdicts.ablation_verdicts,
    recommendation.accuracy_of_choices,
    recommendation.what_is_taken,
    recommendation.tests_of_choices,
    decided.effects_of_claims,
    decided.families_of_claims,
    decided.verdicts_of_claims,
    joins.measures_of_sets,
    joins.distances_and_cost,
    joins.published_figures,
    guidance.given_weights,
    guidance.applied_weights,
    tuning.weights_tried,
    tuning.weights_chosen,
    tuning.gains_of_tuning,
    tuning.seconds_of_tuning,
    spectra.singular_values,
    spectra.ranks,
    spectra.spectrum_figure,
    strategies.strategies_points,
    strategies.strategies_volumes,
    strategies.strategies_map,
    strategies.strategies_tests,
    figures.accuracy_vs_ipc,
    figures.sensitivity,
    figures.ssim_curve,
    rendered.pages_show_the_boards,
    rendered.figures_of_pages,
    rendered.scores_of_the_page,
    rendered.measures_of_the_page,
    sentences.first_of_each_ipc,
    sentences.notes_of_pages,
    sentences.published_elsewhere,
)
#: Findings that a message lists; a log has all.
LISTED = 20


def read_results(
    paths: Iterable[str], published: str, cells: Sequence[Mapping], images: Sequence[str]
) -> Results:
    """Read tables, figures' tables and the leaderboard's pages; others of ``paths`` are left.

    cells: those of ``images``, the files of their samples, in the same order.
    """
    by_name = {below_results(path): path for path in paths}
    return Results(
        {name: read_rows(path) for name, path in by_name.items() if name.endswith(".csv")},
        {n: Path(p).read_text(encoding="utf-8") for n, p in by_name.items() if n in rendered.PAGES},
        read_rows(published),
        list(zip(cells, map(Path, images), strict=True)),
    )


def below_results(path: str) -> str:
    """A path from below the folder ``results`` on."""
    return path.rpartition("results/")[2]


def audit(results: Results, grid: Mapping) -> dict:
    """What was checked and found, as ``results/audit.json`` has it.

    ``checks``: of each its name, what must hold, how many fields were compared and how many
    are off. ``not_compared``: by table, the columns that no check looked at, but for those that
    name its rows; ``bounded``: those of which checks say within which bounds they lie, and
    not what they are. ``images``: of
    how many cells the images were counted anew. ``findings``: see ``finding``.
    """
    done, findings, compared, bounded = [], [], set(), set()
    for check in CHECKS:
        claims = _claims_of(check, results, grid)
        off = [claim for claim in claims if not claim.holds]
        for claim in claims:
            known = bounded if isinstance(claim.expected, Within) else compared
            known.add((claim.table, claim.column))
        what = (check.__doc__ or "").splitlines()[0]
        counts = {"comparisons": len(claims), "off": len(off)}
        done.append({"check": check.__name__, "holds": what, **counts})
        findings += off
    recounted = Counter(sets.is_recounted(path) for _, path in results.samples)
    return {
        "checks": done,
        "comparisons": sum(check["comparisons"] for check in done),
        "images": {
            "cells_counted": recounted[True],
            "cells_not_counted": recounted[False],
            "largest_file_counted_bytes": sets.MOST,
        },
        "not_compared": _columns(results, lambda place: place not in compared | bounded),
        "bounded": _columns(results, lambda place: place in bounded - compared),
        "findings": [finding(claim) for claim in findings],
    }


def _claims_of(check: Callable, results: Results, grid: Mapping) -> list[Claim]:
    """What a check claims; where a table holds what it cannot reckon with, that it does so."""
    claims = []
    try:
        claims += check(results, grid)
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError) as error:
        told = f"not made: {type(error).__name__} {error}"
        claims.append(Claim("the tables", "", f"check {check.__name__}", told, "made"))
    return claims


def finding(claim: Claim) -> dict:
    """A claim that does not hold: table, row, column, what was found and what was expected.

    JSON: empty fields are None. ``words`` has all of it as a sentence.
    """
    return {
        "table": claim.table,
        "row": claim.row,
        "column": claim.column,
        "found": _plain(claim.found),
        "expected": _plain(claim.expected),
        "words": str(claim),
    }


def _plain(value: object) -> object:
    if isinstance(value, Within):
        return str(value)
    return None if value != value else value


def _columns(results: Results, asked: Callable[[tuple[str, str]], bool]) -> dict[str, list[str]]:
    """By table, those columns that are asked for, but for the names of its rows."""
    found = {
        table: [c for c in of[0] if c not in rows.names(table) and asked((table, c))]
        for table, of in results.tables.items()
        if of
    }
    return {table: columns for table, columns in found.items() if columns}


def summary(report: Mapping) -> str:
    """One line: how much was checked, and how much of it is off."""
    off = len(report["findings"])
    counts = f"{len(report['checks'])} checks, {report['comparisons']:,} comparisons"
    return f"audit: {counts}, {f'{off:,} off' if off else 'nothing off'}"


def unlisted(report: Mapping) -> list[str]:
    """The findings that a message leaves to the log."""
    return [found["words"] for found in report["findings"][LISTED:]]


def message(report: Mapping, log: str | None) -> str:
    """The findings for the terminal, at most ``LISTED`` of them. log: the file that has all."""
    words = [found["words"] for found in report["findings"][:LISTED]]
    left = len(unlisted(report))
    more = [f"and {left:,} more"] if left else []
    where = [f"All of them are in {log}."] if log and left else []
    return "\n".join([summary(report), *(f"  - {line}" for line in (*words, *more)), *where])
