"""The leaderboard's written tables as they stand in Markdown, LaTeX and HTML, read back."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Cell:
    """One figure as shown. text: mean ± deviation, or a status; published likewise."""

    text: str
    bold: bool = False
    mark: str = ""
    published: str = ""
    note: str = ""


@dataclass
class Sheet:
    """One written table. lines: (label, a cell an IPC); a ceiling is like any other line.

    sentences: what is said above and below the table. sources: words by letter. beside: by
    IPC, a table of the measures beside accuracy, its heading first. scores: the label-robust ones,
    (label, a text an IPC).
    """

    title: str
    ipcs: list[str] = field(default_factory=list)
    lines: list[tuple[str, list[Cell]]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    beside: dict[str, list[list[str]]] = field(default_factory=dict)
    scores: list[tuple[str, list[str]]] = field(default_factory=list)


def plain(text: str) -> str:
    """The letters and digits of words, by which a label is known in any of the formats."""
    text = re.sub(r"\\[A-Za-z]+", "", text.replace("\\textbackslash{}", "\\"))
    text = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^A-Za-z0-9]", "", text)


MARKS = "↑↓≈"
PUBLISHED = r"(?:<sub>(?P<published>.*?)</sub><sup>(?P<note>.*?)</sup>)?"
MARKDOWN_CELL = re.compile(
    rf"(?P<stars>\**)(?P<text>[^*]*?)(?P=stars) ?(?P<mark>[{MARKS}]?) ?{PUBLISHED}"
)


#: The heading of the table of label-robust scores.
SCORES = "Label-robust score"


def markdown_sheets(text: str) -> list[Sheet]:
    """The sheets of the leaderboard's Markdown."""
    sheets: list[Sheet] = []
    of_scores = False  # whether the table of label-robust scores has begun
    for line in text.splitlines():
        if line.startswith("### "):
            sheets.append(Sheet(_unmarked(line[4:])))
            of_scores = False
        elif line.startswith("- <sup>"):
            letter, source = re.fullmatch(r"- <sup>(.*?)</sup> (.*)", line).groups()
            sheets[-1].sources[letter] = _unmarked(source)
        elif line.startswith("- "):
            sheets[-1].sentences.append(_unmarked(line[2:]))
        elif line.startswith("| ---"):
            continue
        elif line.startswith("| "):
            label, *fields = line.removeprefix("| ").removesuffix(" |").split(" | ")
            if not sheets[-1].ipcs:
                sheets[-1].ipcs = [name.removeprefix("IPC ") for name in fields]
                continue
            if label == SCORES:
                of_scores = True
                continue
            if of_scores:
                sheets[-1].scores.append((_unmarked(label), fields))
                continue
            ceiling = label.startswith("*")
            sheets[-1].lines.append((_unmarked(label[1:-1] if ceiling else label), []))
            sheets[-1].lines[-1][1].extend(map(_markdown_cell, fields))
    return sheets


def _unmarked(text: str) -> str:
    return html.unescape(re.sub(r"\\(.)", r"\1", text))


def _markdown_cell(text: str) -> Cell:
    found = MARKDOWN_CELL.fullmatch(text)
    if found is None:
        return Cell(text)
    bold = found["stars"] == "**"
    return Cell(found["text"], bold, found["mark"], found["published"] or "", found["note"] or "")


#: Signs beside the figures, as LaTeX has them.
SIGNS = {
    r"$\pm$": "±",
    r"$\times$": "×",
    r"$\uparrow$": "↑",
    r"$\downarrow$": "↓",
    r"$\approx$": "≈",
    r"\%": "%",
}
LATEX_PUBLISHED = re.compile(r"\{\\scriptsize (.*)\\textsuperscript\{(\w+)\}\}")
LATEX_SOURCE = re.compile(r"\\textsuperscript\{([a-z])\}~(.*?)\.(?= \\textsuperscript\{[a-z]\}~|$)")


def latex_sheets(text: str) -> list[Sheet]:
    """The sheets of the leaderboard's LaTeX."""
    for written, sign in SIGNS.items():
        text = text.replace(written, sign)
    return [_latex_sheet(block) for block in text.split(r"\begin{table}")[1:]]


def _latex_sheet(block: str) -> Sheet:
    caption = re.search(r"^\\caption\{(.*)\}$", block, flags=re.M)[1]
    title, _, said = caption.partition(". ")
    sheet = Sheet(title)
    sheet.sources = dict(LATEX_SOURCE.findall(said))
    sheet.sentences = [re.split(r"\\textsuperscript\{a\}~", said)[0]]
    rows = [line[:-3].split(" & ") for line in block.splitlines() if line.endswith(r" \\")]
    head, *body = rows
    sheet.ipcs = [re.search(r"\{IPC (.*)\}$", field)[1] for field in head[1:]]
    for label, *fields in body:
        span = re.fullmatch(r"\\multicolumn\{\d+\}\{c\}\{(.*)\}", fields[0])
        pairs = zip(fields[::2], fields[1::2], strict=True) if not span else [_apart(span[1])]
        cells = [_latex_cell(*pair) for pair in pairs]
        sheet.lines.append((label, cells * len(sheet.ipcs) if span else cells))
    return sheet


def _apart(text: str) -> tuple[str, str]:
    """The figure of a cell that spans all columns, and what stands behind it."""
    figure, brace, rest = text.partition("{\\scriptsize")
    return figure.strip(), brace + rest


def _latex_cell(figure: str, beside: str) -> Cell:
    wrapped = re.fullmatch(r"\\(textbf|textit)\{(.*)\}", figure)
    kind, value = wrapped.groups() if wrapped else ("", figure)
    published, note = LATEX_PUBLISHED.search(beside).groups() if "{" in beside else ("", "")
    mark = beside[:1] if beside[:1] in tuple(MARKS) else ""
    return Cell(value, kind == "textbf", mark, published, note)


class _Page(HTMLParser):
    """The page as a row of (kind, content): headings, list items, lines of tables."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, object]] = []
        self.row: list[dict] = []
        self.inside: list[str] = []
        self.buffer = ""
        self.marked = False  # whether the place of a cell's mark has been passed
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.inside.append(tag)
        if tag in ("h1", "h2", "h3", "li"):
            self.buffer = ""
        elif tag == "tr":
            self.row = []
        elif tag == "span" and self.row:
            self.marked = True
        elif tag in ("td", "th"):
            self.marked = False
            spans = tag == "td" and "colspan" in dict(attrs)
            cell = {"status": (dict(attrs).get("class") or "").replace("-", " "), "spans": spans}
            self.row.append({**cell, "text": "", "b": "", "sup": "", "mark": "", "behind": ""})

    def handle_data(self, data: str) -> None:
        self.buffer += data
        if {"td", "th"} & set(self.inside) and self.row:
            parts = {"sup": "sup", "span": "mark"}
            self.row[-1][parts.get(self.inside[-1], "behind" if self.marked else "text")] += data
            if self.inside[-1] == "b":
                self.row[-1]["b"] += data

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass
        if tag in ("h2", "h3", "li"):
            self.found.append((tag, self.buffer))
        elif tag == "tr":
            self.found.append((tag, self.row))


def html_sheets(text: str) -> list[Sheet]:
    """The sheets of the leaderboard's page."""
    sheets: list[Sheet] = []
    beside = ""
    for kind, content in _Page(text).found:
        if kind == "h2":
            sheets.append(Sheet(content))
            beside = ""
        elif not sheets:
            continue  # what is said of all sheets together
        elif kind == "h3":
            beside = content.removeprefix("IPC ")
            sheets[-1].beside[beside] = []
        elif kind == "li":
            _said(sheets[-1], content)
        elif beside:
            sheets[-1].beside[beside].append([cell["text"] for cell in content])
        elif not sheets[-1].ipcs:
            sheets[-1].ipcs = [cell["text"].removeprefix("IPC ") for cell in content[1:]]
        else:
            label, *cells = content
            sheets[-1].lines.append((label["text"], [*_html_cells(cells, len(sheets[-1].ipcs))]))
    return sheets


def _said(sheet: Sheet, text: str) -> None:
    """A sentence, or a source behind its letter."""
    source = re.fullmatch(r"([a-z]) (.*)", text)
    if source:
        sheet.sources[source[1]] = source[2]
    else:
        sheet.sentences.append(text)


def _html_cells(cells: Sequence[dict], count: int) -> Iterator[Cell]:
    """Figures of a line: each in one field, or with the published one in a second.

    A ceiling's one field spans them all, and has its published figure behind it.
    """
    if cells[0]["spans"]:
        (one,) = cells
        words = one["status"]  # of one that is not measured, which has no mark to part it
        if words:
            one = {**one, "text": words, "behind": one["text"].removeprefix(words)}
        yield from [_html_cell(one, one["behind"].strip(), one["sup"])] * count
        return
    width = len(cells) // count
    for first in range(0, len(cells), width):
        figure, *beside = cells[first : first + width]
        published = (beside[0]["text"], beside[0]["sup"]) if beside else ("", "")
        yield _html_cell(figure, *published)


def _html_cell(figure: dict, published: str, note: str) -> Cell:
    return Cell(figure["text"].strip(), bool(figure["b"]), figure["mark"], published, note)
