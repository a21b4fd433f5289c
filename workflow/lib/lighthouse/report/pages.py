"""Tables and the leaderboard as people read them: HTML, Markdown and LaTeX, from templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from lighthouse.config.grid import ALL
from lighthouse.report.leaderboard import COLUMNS, board_of, elsewhere, leaderboard_rows
from lighthouse.report.sheets import Comparison, Entry, Sheet, overall, sheets
from lighthouse.report.tables import Table
from lighthouse.tables import MISSING, NOT_RUN, field, parsed

#: What GitHub's Markdown, which knows HTML too, would take for markup, and its text.
MARKDOWN = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    **{sign: f"\\{sign}" for sign in "\\`*_[]|~#$"},
}


#: What LaTeX reads as commands, or pdflatex has no letter for.
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "±": r"$\pm$",
    "×": r"$\times$",
    "≈": r"$\approx$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "−": "$-$",
    "λ": r"$\lambda$",
    "η": r"$\eta$",
    "μ": r"$\mu$",
    "ε": r"$\varepsilon$",
    "γ": r"$\gamma$",
    "ρ": r"$\rho$",
    "–": "--",
    "“": "``",
    "”": "''",
    "³": r"\textsuperscript{3}",
    "²": r"\textsuperscript{2}",
}
#: Columns of the leaderboard beside accuracy, their headings and formats.
BESIDE = {
    "coverage": ("coverage", "{:.3f}"),
    "precision": ("precision", "{:.3f}"),
    "recall": ("recall", "{:.3f}"),
    "density": ("density", "{:.3f}"),
    "log_det": ("log det K", "{:.3g}"),
    "ssim": ("SSIM", "{:.3f}"),
    "fid": ("Fréchet distance", "{:.4g}"),
    "kid": ("KID", "{:.3g}"),
    "seconds_per_image": ("seconds an image", "{:.3g}"),
}


def leaderboard(
    accuracy: Sequence[Mapping],
    significance: Sequence[Mapping],
    diversity: Sequence[Mapping],
    fid: Sequence[Mapping],
    cost: Sequence[Mapping],
    published: Sequence[Mapping],
    specs: Sequence[Mapping],
    students: Sequence[str],
    base: str | None,
    alpha: float,
) -> dict:
    """Every system in one table, and the same for readers (``leaderboard_rows``)."""
    tables = {
        "accuracy": accuracy,
        "significance": significance,
        "diversity": diversity,
        "fid": fid,
        "cost": cost,
        "published": published,
    }
    rows = leaderboard_rows(specs, tables, students, base)
    comparison = Comparison.of(specs, base, alpha)
    found = sheets(rows, comparison, elsewhere(specs, published, rows))
    return {
        "table": Table(rows, COLUMNS),
        "markdown": markdown(found),
        "latex": latex(found),
        "page": page(found, rows, overall(rows, comparison)),
    }


def table_page(table: Table) -> str:
    """A table as a page, its fields as the CSV has them. Empty ones show as –."""
    columns = list(table.columns or table.rows[0])
    rows = [[str(field(row[name])) for name in columns] for row in table.rows]
    return _render("table.html.j2", columns=columns, rows=rows)


def page(sheets: Sequence[Sheet], rows: Sequence[Mapping], summary: Sequence[str]) -> str:
    """The leaderboard as a page, with nothing beside it: findings, tables, what they mean.

    summary: findings over all sheets.
    """
    with_measures = [(sheet, _measures(sheet, rows)) for sheet in sheets]
    return _render("leaderboard.html.j2", sheets=with_measures, summary=summary)


def markdown(sheets: Sequence[Sheet]) -> str:
    """All sheets as Markdown that GitHub shows: a heading, the findings, the table, the notes."""
    return _render("leaderboard.md.j2", sheets=sheets)


def latex(sheets: Sequence[Sheet]) -> str:
    """All sheets as LaTeX tables (booktabs), each with its notes as a caption."""
    return _render("leaderboard.tex.j2", sheets=sheets)


def _render(name: str, **given: object) -> str:
    return _environment(name.split(".")[1]).get_template(name).render(given)


@cache
def _environment(language: str) -> Environment:
    """Templates of one language. Filters: ``words`` are shown as they are, whatever they hold.

    Braces and % are LaTeX's own, so its templates have other signs.
    """
    signs = {
        "block_start_string": "<%",
        "block_end_string": "%>",
        "variable_start_string": "<<",
        "variable_end_string": ">>",
        "comment_start_string": "<#",
        "comment_end_string": "#>",
    }
    environment = Environment(
        loader=PackageLoader("lighthouse.report"),
        autoescape=language == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **(signs if language == "tex" else {}),
    )
    environment.filters["readable"] = readable
    environment.filters["words"] = escape_latex if language == "tex" else escape_markdown
    return environment


def escape_markdown(text: str) -> str:
    """Words as they are, whatever GitHub would make of them."""
    return text.translate(str.maketrans(MARKDOWN))


def escape_latex(text: str) -> str:
    """Words as they are, for pdflatex with fontenc T1."""
    return text.translate(str.maketrans(LATEX))


def readable(text: str) -> str:
    """A CSV field for a reader: 4 digits of a fraction, whole numbers whole, – for none."""
    value = parsed(text)
    if isinstance(value, float):
        return "–" if value != value else f"{value:.4g}"
    return text


@dataclass(frozen=True)
class Measures:
    """What was measured beside accuracy. tables: (IPC, (label, an entry a heading) a line)."""

    headings: list[str]
    extractors: list[str]
    tables: list[tuple[int, list[tuple[str, list[Entry]]]]]


def _measures(sheet: Sheet, rows: Sequence[Mapping]) -> Measures | None:
    """A table an IPC, of the columns that have a value; None where none has."""
    board = (sheet.dataset, sheet.protocol, sheet.student)
    own = [row for row in rows if board_of(row) == board and row["ipc"] != ALL]
    columns = [name for name in BESIDE if any(row[name] == row[name] for row in own)]
    if not columns:
        return None
    extractors = dict.fromkeys(row["extractor"] for row in own if isinstance(row["extractor"], str))
    tables = [
        (
            ipc,
            [(r["label"], [_measure(r, name) for name in columns]) for r in own if r["ipc"] == ipc],
        )
        for ipc in sheet.ipcs
    ]
    return Measures([BESIDE[name][0] for name in columns], list(extractors), tables)


def _measure(row: Mapping, name: str) -> Entry:
    value = row[name]
    if value == MISSING:
        return Entry(MISSING, MISSING)
    if value == value:
        return Entry(BESIDE[name][1].format(value).replace("-", "−"))
    return Entry(NOT_RUN, NOT_RUN) if row["status"] == NOT_RUN else Entry("–")
