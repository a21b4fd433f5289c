"""Sheets of the leaderboard as Markdown and LaTeX; ``page`` has the HTML."""

import re
from collections.abc import Sequence

from lighthouse.report.sheets import Entry, Sheet
from lighthouse.tables import MEASURED

#: What GitHub's Markdown, which knows HTML too, would take for markup, and its text.
MARKDOWN = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    **{sign: f"\\{sign}" for sign in "\\`*_[]|~#$"},
}


def markdown(sheets: Sequence[Sheet]) -> str:
    """All sheets as Markdown that GitHub shows: a heading, the findings, the table, the notes."""
    return "\n".join(map(_markdown_sheet, sheets))


def escape_markdown(text: str) -> str:
    """Words as they are, whatever GitHub would make of them."""
    return text.translate(str.maketrans(MARKDOWN))


def _markdown_sheet(sheet: Sheet) -> str:
    head = ["Method", *(f"IPC {ipc}" for ipc in sheet.ipcs)]
    lines = [[escape_markdown(label), *map(_markdown_entry, own)] for label, own in sheet.lines]
    if sheet.ceiling:
        label, entry = sheet.ceiling
        # No cell spans columns in Markdown: the figure stands under each.
        lines.append([f"*{escape_markdown(label)}*", *[_markdown_entry(entry)] * len(sheet.ipcs)])
    rule = ["---", *["---:"] * len(sheet.ipcs)]
    table = [f"| {' | '.join(fields)} |" for fields in (head, rule, *lines)]
    findings = [f"- {escape_markdown(sentence)}" for sentence in sheet.headline]
    notes = [f"- {escape_markdown(note)}" for note in sheet.notes]
    notes += [f"- <sup>{letter}</sup> {escape_markdown(text)}" for letter, text in sheet.sources]
    title = f"### {escape_markdown(sheet.title)}"
    return "\n".join([title, "", *findings, "", *table, "", *notes, ""])


def _markdown_entry(entry: Entry) -> str:
    value = f"**{entry.value}**" if entry.best else entry.value
    if entry.status != MEASURED:
        value = f"*{entry.value}*"
    published = f"<sub>{entry.published}</sub><sup>{entry.note}</sup>" if entry.published else ""
    return " ".join(part for part in (value, entry.mark, published) if part)


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
PREAMBLE = (
    "% The leaderboard. To be read by \\input; needs \\usepackage[T1]{fontenc} and {booktabs}.\n"
)


def latex(sheets: Sequence[Sheet]) -> str:
    """All sheets as LaTeX tables (booktabs), each with its notes as a caption."""
    return PREAMBLE + "\n".join(map(_latex_sheet, sheets))


def escape_latex(text: str) -> str:
    """Words as they are, for pdflatex with fontenc T1."""
    return text.translate(str.maketrans(LATEX))


def _latex_sheet(sheet: Sheet) -> str:
    count = len(sheet.ipcs)
    head = ["Method", *(rf"\multicolumn{{2}}{{c}}{{IPC {ipc}}}" for ipc in sheet.ipcs)]
    body = [
        [escape_latex(label), *(part for entry in own for part in _latex_parts(entry))]
        for label, own in sheet.lines
    ]
    end = []
    if sheet.ceiling:
        label, entry = sheet.ceiling
        span = rf"\multicolumn{{{2 * count}}}{{c}}{{{' '.join(_latex_parts(entry)).strip()}}}"
        end = [r"\midrule", _latex_line([escape_latex(label), span])]
    notes = [escape_latex(note) for note in sheet.notes]
    sources = [
        rf"\textsuperscript{{{letter}}}~{escape_latex(text)}." for letter, text in sheet.sources
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{escape_latex(sheet.title)}. {' '.join([*notes, *sources])}}}",
            rf"\label{{tab:leaderboard-{_word(sheet)}}}",
            rf"\begin{{tabular}}{{l{'r@{ }l' * count}}}",
            r"\toprule",
            _latex_line(head),
            r"\midrule",
            *map(_latex_line, body),
            *end,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_line(fields: Sequence[str]) -> str:
    return rf"{' & '.join(fields)} \\"


def _latex_parts(entry: Entry) -> tuple[str, str]:
    """A figure, and its mark and the published one: two columns, so that figures align."""
    value = escape_latex(entry.value)
    if entry.status != MEASURED:
        value = rf"\textit{{{value}}}"
    if entry.best:
        value = rf"\textbf{{{value}}}"
    published = ""
    if entry.published:
        note = rf"\textsuperscript{{{entry.note}}}"
        published = rf"{{\scriptsize {escape_latex(entry.published)}{note}}}"
    return value, " ".join(part for part in (escape_latex(entry.mark), published) if part)


def _word(sheet: Sheet) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{sheet.dataset}-{sheet.student}-{sheet.protocol}".lower())
