"""Tables. CSV columns are the interface: scripts outside this project read them."""

import csv
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lighthouse.runtime.files import read_json, whole
from lighthouse.units import TERM_WEIGHTS


def write_rows(path: str | Path, rows: Sequence[Mapping]) -> None:
    """Write rows as CSV, the keys of the first as columns. Floats keep 6 digits; NaN is empty."""
    with whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _field(value) for key, value in row.items()} for row in rows)


STYLE = """<style>
body { font: 14px sans-serif; margin: 1em }
table { border-collapse: collapse }
th { position: sticky; top: 0; background: #fff; border-bottom: 1px solid #333 }
th, td { padding: 0.2em 0.8em; text-align: right; white-space: nowrap }
tr:nth-child(even) td { background: #f4f4f4 }
</style>
"""


def write_table(csv_path: str | Path, html_path: str | Path, rows: Sequence[Mapping]) -> None:
    """Write rows as CSV, and the same as a page for the report. Empty fields show as –."""
    import pandas as pd

    write_rows(csv_path, rows)
    page = pd.read_csv(csv_path).to_html(
        index=False, border=0, na_rep="–", float_format=lambda value: f"{value:.4g}"
    )
    with whole(html_path) as beside:
        beside.write_text(f'<!doctype html><meta charset="utf-8">{STYLE}{page}', encoding="utf-8")


def _field(value: object) -> object:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return value


def concatenate(paths: Iterable[str | Path]) -> list[dict]:
    """Rows of several CSV files with the same columns, in order.

    Raises ``ValueError`` where the columns differ.
    """
    rows: list[dict] = []
    columns = None
    for path in paths:
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns = columns or reader.fieldnames
            if reader.fieldnames != columns:
                raise ValueError(f"{path} has columns {reader.fieldnames}, not {columns}")
            rows += reader
    return rows


def accuracy_row(cell: Mapping, student: str, protocol: str, path: str | Path) -> dict:
    """A row of the accuracy table from one cell's record. Accuracies in %.

    ``std`` is the sample standard deviation over seeds (a sampling seed and a student
    seed in one); NaN for a single seed. ``best_chosen_on`` is the part on which the best
    epoch was chosen: ``test`` is the field's habit, and flatters.
    """
    record = read_json(path)
    runs = list(record["runs"].values())
    last = [100 * run["last"] for run in runs]
    return {
        **{key: cell[key] for key in ("dataset", "method", "ipc", "eta_dpp", "mu_dm")},
        "student": student,
        "protocol": protocol,
        "n_seeds": len(runs),
        "top1_last_mean": statistics.mean(last),
        "top1_last_std": statistics.stdev(last) if len(last) > 1 else float("nan"),
        "top1_best_mean": statistics.mean(100 * run["best"] for run in runs),
        "best_chosen_on": record["best_chosen_on"],
    }


def guidance_row(cell: Mapping, about: Mapping, pull: float) -> dict:
    """A row of the guidance table: weights as given, and as applied to this latent size.

    ``eta_share`` is η/D of the applied weight, about the share of a latent's length by
    which a DPP step moves it; ``mean_pull`` the share of the set's drift from the class
    mean that a step removes.
    """
    options = about["options"]
    applied = dict(
        zip(
            (term for term in options["terms"] if options[TERM_WEIGHTS[term]]),
            options["applied_weights"],
            strict=True,
        )
    )
    dim = options["latent_dim"]
    return {
        **{key: cell[key] for key in ("dataset", "method", "ipc")},
        "latent_dim": dim,
        "lambda": about["prior"]["options"].get("lam", ""),
        "eta_dpp": cell["eta_dpp"],
        "eta_dpp_applied": applied.get("dpp", 0.0),
        "eta_share": applied.get("dpp", 0.0) / dim,
        "mu_dm": cell["mu_dm"],
        "mu_dm_applied": applied.get("mean", 0.0),
        "mean_pull": pull,
    }
