"""Tables as pages of the report, and the rows of the guidance table."""

import csv
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lighthouse.runtime.files import whole
from lighthouse.tables import CELL, MEASURED, MISSING, NAN, parsed, write_rows


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


STYLE = """<style>
body { font: 14px sans-serif; margin: 1em }
table { border-collapse: collapse }
th { position: sticky; top: 0; background: #fff; border-bottom: 1px solid #333 }
th, td { padding: 0.2em 0.8em; text-align: right; white-space: nowrap }
tr:nth-child(even) td { background: #f4f4f4 }
td.missing { color: #b00; font-weight: bold }
</style>
"""


def write_table(
    csv_path: str | Path,
    html_path: str | Path,
    rows: Sequence[Mapping],
    columns: Sequence[str] = (),
) -> None:
    """Write rows as CSV, and the same as a page for the report. Empty fields show as –."""
    write_rows(csv_path, rows, columns)
    with Path(csv_path).open(encoding="utf-8", newline="") as file:
        head, *body = csv.reader(file)
    lines = [_line("th", head), *(_line("td", fields) for fields in body)]
    page = "<table>\n" + "\n".join(lines) + "\n</table>\n"
    write_text(html_path, f'<!doctype html><meta charset="utf-8">{STYLE}{page}')


def _line(tag: str, fields: Iterable[str]) -> str:
    return "<tr>" + "".join(map(_cell, [tag] * len(fields), fields)) + "</tr>"


def _cell(tag: str, text: str) -> str:
    kind = ' class="missing"' if text == MISSING else ""
    return f"<{tag}{kind}>{html.escape(readable(text))}</{tag}>"


def readable(text: str) -> str:
    """A CSV field for a reader: 4 digits of a fraction, whole numbers whole, – for none."""
    value = parsed(text)
    if isinstance(value, float):
        return "–" if value != value else f"{value:.4g}"
    return text


GUIDANCE_COLUMNS = (
    *CELL,
    "latent_dim",
    "eta_dpp_applied",
    "eta_share",
    "mu_dm_applied",
    "mean_pull",
    "k_influence",
    "gamma_deviation",
    "gamma_deviation_applied",
    "mode_scale",
    "status",
)


def guidance_row(cell: Mapping, about: Mapping | None, pull: float) -> dict:
    """A row of the guidance table: weights as given, and as applied to this latent size.

    about: the header of the cell's samples, None where they failed. Weights that grow
    with a latent's size have an applied one beside them (``units.TERM_WEIGHTS``); that
    of a term which the method has not is 0. ``eta_share`` is η/D of the applied weight,
    about the share of a latent's length by which a DPP step moves it; ``mean_pull`` the
    share of the set's drift from the class mean that a step removes.
    """
    keys = {name: cell[name] for name in CELL}
    if about is None:
        return {**dict.fromkeys(GUIDANCE_COLUMNS, NAN), **keys, "status": MISSING}
    options = about["options"]
    given, applied = options["weights"], options["applied_weights"]
    dim, eta = options["latent_dim"], applied.get("eta_dpp", 0.0)
    return {
        **keys,
        "latent_dim": dim,
        "eta_dpp_applied": eta,
        "eta_share": eta / dim,
        "mu_dm_applied": applied.get("mu_dm", 0.0),
        "mean_pull": pull,
        "k_influence": given.get("k_influence", 0.0),
        "gamma_deviation": given.get("gamma_deviation", 0.0),
        "gamma_deviation_applied": applied.get("gamma_deviation", 0.0),
        "mode_scale": given.get("mode_scale", 0.0),
        "status": MEASURED,
    }
