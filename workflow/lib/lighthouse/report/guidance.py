"""The guidance table: weights as given, and as applied to latents of another size."""

from collections.abc import Mapping, Sequence

from lighthouse.parts.terms import TERMS, Term
from lighthouse.report.tables import Table
from lighthouse.tables import CELL, MEASURED, MISSING, NAN


def guidance_table(records: Sequence[Mapping | None], cells: Sequence[Mapping]) -> dict:
    """Guidance weights as given and as applied, by cell. records: of the sampling of each."""
    rows = [guidance_row(*of) for of in zip(cells, records, strict=True)]
    return {"table": Table(rows, columns())}


def columns() -> tuple[str, ...]:
    """The table's columns: what names a cell, and those of each declared term."""
    of_terms = (name for term in TERMS.values() for name in _term_columns(term))
    return (*CELL, "latent_dim", *of_terms, "status")


def guidance_row(cell: Mapping, record: Mapping | None) -> dict:
    """A row of the guidance table: weights as given, and as applied to this latent size.

    record: of the sampling of the cell's sets, None where it failed. Weights that grow
    with a latent's size have an applied one beside them (``parts.terms.Term.grows``); behind
    them are a term's ``derived`` numbers. All are 0 of a term which the method has not.
    """
    keys = {name: cell[name] for name in CELL}
    if record is None:
        return {**dict.fromkeys(columns(), NAN), **keys, "status": MISSING}
    options = record["options"]
    row = {"latent_dim": options["latent_dim"]}
    for term in TERMS.values():
        given = options["weights"].get(term.column, 0.0)
        row[term.column] = given
        row[_applied(term)] = options["applied_weights"].get(term.column, 0.0)
        row |= {name: number(given, cell["ipc"]) for name, number in term.derived.items()}
    return {name: {**row, **keys, "status": MEASURED}[name] for name in columns()}


def _term_columns(term: Term) -> list[str]:
    """A term's columns behind those of the cell, which may hold its weight."""
    own = [] if term.column in CELL else [term.column]
    return [*own, *([_applied(term)] if term.grows else []), *term.derived]


def _applied(term: Term) -> str:
    return f"{term.column}_applied"
