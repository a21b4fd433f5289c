"""Templates filled in: HTML, Markdown and LaTeX, and the page of a table."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from lighthouse.report.tables import Table
from lighthouse.tables import TEXTS, field, parsed

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
    **{sign: f"{{{sign}}}" for sign in "[*"},  # behind the end of a line they would belong to it
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


def table_page(table: Table) -> str:
    """A table as a page, its fields as the CSV has them. Empty ones show as –."""
    columns = list(table.columns or table.rows[0])
    rows = [[_shown(name, str(field(row[name]))) for name in columns] for row in table.rows]
    return render("table.html.j2", columns=columns, rows=rows)


def _shown(column: str, text: str) -> str:
    """A field for a reader; words as they stand, though they look like a number."""
    return text if text and column in TEXTS else readable(text)


def render(name: str, **given: object) -> str:
    """A template of ``report/templates``, by its file's name, with what it is given."""
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
        autoescape=language == "html",  # noqa: S701 (the others have the filter ``words``)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **(signs if language == "tex" else {}),
    )
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
