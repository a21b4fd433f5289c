"""Whether a study computes what its claims are about."""

from collections import Counter
from collections.abc import Iterable, Mapping

from lighthouse.config.claims import AGAINST, ALONG, DIRECTIONS, SIDES, cells, form, judge
from lighthouse.config.grid import Cell
from lighthouse.config.study import Study
from lighthouse.parts.measures import MEASURES, Reach


def claim_checks(study: Study) -> Iterable[str]:
    """Claims that the study cannot decide, a line a mistake. Its other names are known."""
    claims = study.run["claims"] or []
    for name, count in Counter(claim["name"] for claim in claims).items():
        if count > 1:
            yield f"config: run.claims: {count} claims are named {name!r}; name them apart"
    wrong = [
        f"config: run.claims.{claim['name']}.{line}"
        for claim in claims
        for line in _check(study, claim)
    ]
    yield from wrong
    if len(wrong) > 1:  # as of a study that is laid over another, whose claims it has then
        yield "config: run.claims: give claims of what this study computes, or `run.claims: null`"


def _check(study: Study, claim: Mapping) -> Iterable[str]:
    directions = DIRECTIONS[form(claim)]
    if claim["direction"] not in directions:
        yield (
            f"direction: {claim['direction']!r} does not go with {form(claim)!r}; "
            f"allowed: {', '.join(directions)}"
        )
    check_form = _check_trend if form(claim) == ALONG else _check_sides
    wrong = [*_check_judge(study, claim), *check_form(study, claim)]
    yield from wrong
    if not wrong:
        for dataset in study.run["datasets"]:
            yield from dict.fromkeys(
                line for cell in cells(study, claim, dataset) for line in _lack(study, claim, cell)
            )


def _check_judge(study: Study, claim: Mapping) -> Iterable[str]:
    given = [key for key in ("student", "protocol") if key in claim]
    if not MEASURES[claim["measure"]].of_students:
        for key in given:
            yield f"{key}: has no effect with measure {claim['measure']!r}; leave it out"
        return
    trained = {"student": {s for _, s, _ in study.evaluations}, "protocol": study.run["protocols"]}
    for key in given:
        if claim[key] not in trained[key]:
            allowed = ", ".join(sorted(trained[key]))
            yield f"{key}: {claim[key]!r} is not one of this study; allowed: {allowed}"


def _check_sides(study: Study, claim: Mapping) -> Iterable[str]:
    """Both sides must be methods of this study at one of its IPCs."""
    ipc = claim["ipc"]
    if claim["of"] == claim[AGAINST]:
        yield f"{AGAINST}: {claim['of']!r} is compared with itself"
    if ipc not in study.run["ipc"]:
        yield f"ipc: {ipc} is not one of run.ipc: {', '.join(map(str, study.run['ipc']))}"
        return
    able = [c.method for c in study.table_cells if c.ipc == ipc]
    for side in SIDES:
        if claim[side] not in able:
            yield (
                f"{side}: {claim[side]!r} is not computed at IPC {ipc}; "
                f"allowed: {', '.join(dict.fromkeys(able))}"
            )


def _check_trend(study: Study, claim: Mapping) -> Iterable[str]:
    """A trend needs a sweep of that method over that number."""
    sweep = study.run["sweep"]
    if sweep is None:
        yield f"{ALONG}: this study has no run.sweep, and so no {claim[ALONG]!r} to go along"
        return
    if claim["of"] != sweep["method"]:
        yield f"of: {claim['of']!r} is not the method of run.sweep: {sweep['method']}"
    if claim[ALONG] not in study.swept:
        yield (
            f"{ALONG}: {claim[ALONG]!r} is not swept; "
            f"allowed: {', '.join(study.swept) or 'nothing, since run.sweep.values is empty'}"
        )
        return
    for dataset in study.run["datasets"]:
        if len(study.sweep_points(dataset, claim[ALONG])) < 2:
            yield f"{ALONG}: of {claim[ALONG]!r} {dataset!r} has one value; give run.sweep another"


def _lack(study: Study, claim: Mapping, cell: Cell) -> Iterable[str]:
    """Why a cell has no value of the claim's measure."""
    measure, method = MEASURES[claim["measure"]], study.methods[cell.method]
    place = f"measure: {measure.name!r}"
    if cell.ipc < measure.least_ipc:
        yield f"{place} is of {measure.least_ipc} images of a class or more, not of {cell.ipc}"
    if cell.moved and measure.reach is not Reach.EVERY:
        able = [m.name for m in MEASURES.values() if m.reach is Reach.EVERY]
        yield f"{place} is not taken of a sweep's sets; allowed: {', '.join(able)}"
    elif measure.reach is Reach.CURVES and study.run["spectrum"] is None:
        yield f"{place} is of the curves of run.spectrum, which is null"
    elif measure.reach is Reach.CURVES and study.measures(cell)["spectrum"] is None:
        curves, ipc = study.spectrum_sources, study.run["spectrum"]["ipc"]
        yield (
            f"{place} is of the curves of run.spectrum, and {cell.method!r} at IPC {cell.ipc} is "
            f"none; allowed: {', '.join(curves)} at IPC {ipc}"
        )
    elif measure.reach in (Reach.SAMPLED, Reach.DENOISED) and method.prior is None:
        yield f"{place} of {cell.method!r}, which is not sampled here, is not known by replicate"
    elif measure.reach is Reach.DENOISED and not method.denoises:
        yield f"{place} of {cell.method!r}, which has no denoiser, says nothing"
    if measure.of_students:
        student = judge(study, claim)
        if (cell, *student.values()) not in study.evaluations:
            yield (
                f"{place} of {cell.method!r} at IPC {cell.ipc} ({cell.variant}): no student "
                f"{student['student']!r} is trained on it under {student['protocol']!r}"
            )
