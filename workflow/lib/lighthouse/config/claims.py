"""What a study is to decide: its claims, each with the rows of tables that it is about."""

from collections.abc import Mapping

from lighthouse.config.grid import Cell
from lighthouse.config.study import Study
from lighthouse.parts.measures import MEASURES, Measure, Reach

#: The two forms of a claim, by the key that only one of them has, with its directions: which of
#: them are of a rise.
AGAINST, ALONG = "against", "along"
SIDES = ("of", AGAINST)
DIRECTIONS = {AGAINST: {"above": True, "below": False}, ALONG: {"rises": True, "falls": False}}


def form(claim: Mapping) -> str:
    """Whether a claim sets a method against another, or follows one along a sweep."""
    return ALONG if ALONG in claim else AGAINST


def judge(study: Study, claim: Mapping) -> dict[str, str]:
    """Student and protocol of a claim; empty where its measure is of no student."""
    if not MEASURES[claim["measure"]].of_students:
        return {}
    first = {"student": study.run["students"][0], "protocol": study.run["protocols"][0]}
    return {key: claim.get(key, default) for key, default in first.items()}


def cells(study: Study, claim: Mapping, dataset: str) -> list[Cell]:
    """The cells of a claim's two sides, or those of its sweep by rising value."""
    if form(claim) == ALONG:
        return study.sweep_cells(dataset, claim[ALONG])
    return [Cell(dataset, claim[side], claim["ipc"]) for side in SIDES]


def claim_rows(study: Study) -> list[dict]:
    """The rows of the table of claims: each claim on each dataset.

    ``claim``: its name. ``ipc``, ``against``, ``along``, ``student`` and ``protocol`` are empty
    where they say nothing. ``rises``: whether it claims more. ``places``: of its two sides, or of
    the points of its sweep by rising value, the columns that name their rows of the measure's
    table.
    """
    claims = study.run["claims"] or []
    return [_row(study, claim, dataset) for dataset in study.run["datasets"] for claim in claims]


def _row(study: Study, claim: Mapping, dataset: str) -> dict:
    measure, of_form, students = MEASURES[claim["measure"]], form(claim), judge(study, claim)
    return {
        "dataset": dataset,
        "claim": claim["name"],
        **{key: claim[key] for key in ("says", "place", "measure", "of")},
        **{key: claim.get(key, "") for key in (AGAINST, ALONG)},
        "ipc": study.run["sweep"]["ipc"] if of_form == ALONG else claim["ipc"],
        **{key: students.get(key, "") for key in ("student", "protocol")},
        "direction": claim["direction"],
        "rises": DIRECTIONS[of_form][claim["direction"]],
        "places": [
            {**_place(study, measure, cell), **students} for cell in cells(study, claim, dataset)
        ],
    }


def _place(study: Study, measure: Measure, cell: Cell) -> dict:
    if measure.reach is Reach.CURVES:
        return {"dataset": cell.dataset, "source": study.spectrum_sources[cell.method]}
    if measure.reach is Reach.EVERY:
        return cell.row
    return {key: value for key, value in cell.row.items() if key != "variant"}
