"""The leaderboard as shown: what it says, and that each rendering says all of it."""

import html
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from boards import (
    ALIKE,
    COMPARISON,
    FIGURES,
    OF_FAMILY,
    SPECS,
    TABLES,
    board,
    compared,
    measures,
    spec,
)
from lighthouse.report.leaderboard import elsewhere
from lighthouse.report.pages import latex, markdown, page
from lighthouse.report.rendering import escape_latex, escape_markdown
from lighthouse.report.sheets import overall, sheets

# Findings and notes.


def shown(tables=TABLES, specs=SPECS):
    rows, _ = board(tables, specs)
    return sheets(rows, COMPARISON, elsewhere(specs, tables["published"], rows))


def test_the_findings_name_the_best_synthetic_set_and_how_it_compares():
    one, five, missing = shown()[0].headline
    assert one.startswith("At IPC 1, RSM (λ | η) has the highest mean (77.5 %), better than DiT")
    assert "(7.5 points, p = 0.012)" in one
    assert five.startswith("At IPC 5, DiT & co_1 <base> 100% has the highest mean (80.0 %); ")
    assert "Random real images has 95.0 %, more than any synthetic set" in five
    assert missing == "Missing, because a computation failed: Broken."


def test_a_difference_that_may_be_chance_is_called_that():
    kept = [row for row in TABLES["significance"] if (row["method"], row["ipc"]) != ("rsm", 1)]
    tables = {**TABLES, "significance": [*kept, compared("rsm", 1, 7.5, ALIKE)]}
    assert (
        "not distinguishable from DiT & co_1 <base> 100% (+7.5 points)"
        in shown(tables)[0].headline[0]
    )


@pytest.mark.parametrize(
    ("replicates", "why"),
    [(1, "one replicate cannot tell it from chance"), (3, "nothing to test it by")],
)
def test_a_difference_that_was_not_tested_is_not_called_alike(replicates, why):
    untested = [
        {**row, "verdict": "not tested", "p_holm": float("nan")}
        if row["verdict"] != "missing"
        else row
        for row in TABLES["significance"]
    ]
    accuracy = [{**row, "n_replicates": replicates} for row in TABLES["accuracy"]]
    (sheet,) = shown({**TABLES, "significance": untested, "accuracy": accuracy})
    assert f"+7.5 points against DiT & co_1 <base> 100%, not tested ({why})" in sheet.headline[0]
    assert {entry.mark for _, own in sheet.lines for entry in own} == {""}
    notes = " ".join(sheet.notes)
    assert "No mark: not tested against DiT" in notes and "≈" not in notes


def test_an_ipc_at_which_all_failed_is_said():
    lost = [{**row, "status": "missing"} if row["ipc"] == 5 else row for row in TABLES["accuracy"]]
    assert (
        "At IPC 5, no synthetic set is measured." in shown({**TABLES, "accuracy": lost})[0].headline
    )


def entries(sheet):
    return dict(sheet.lines)


def test_the_best_synthetic_set_alone_is_marked_best():
    (sheet,) = shown()
    best = {(label, k) for label, own in sheet.lines for k, e in enumerate(own) if e.best}
    assert best == {("RSM (λ | η)", 0), ("DiT & co_1 <base> 100%", 1)}


def test_real_images_are_never_marked_best_not_even_in_a_tie():
    tied = [
        {**row, "top1_last_mean": 77.5} if (row["method"], row["ipc"]) == ("random", 1) else row
        for row in TABLES["accuracy"]
    ]
    (sheet,) = shown({**TABLES, "accuracy": tied})
    assert not any(entry.best for entry in entries(sheet)["Random real images"])
    assert entries(sheet)["RSM (λ | η)"][0].best


def test_marks_follow_the_verdicts():
    own = entries(shown()[0])
    assert [entry.mark for entry in own["Random real images"]] == ["↓", "↑"]
    assert [entry.mark for entry in own["RSM (λ | η)"]] == ["↑", "≈"]
    assert [entry.mark for entry in own["DiT & co_1 <base> 100%"]] == ["", ""]
    assert [entry.value for entry in own["Broken"]] == ["missing", "missing"]
    assert [entry.value for entry in own["IGD"]] == ["75.0 ± 1.0", "not run"]


def test_the_notes_say_what_the_spread_the_marks_and_the_words_mean():
    notes = " ".join(shown()[0].notes)
    assert (
        "over 5 × 1 × 2 trainings (replicates × sets in each × students a set), protocol p" in notes
    )
    assert "All real images: over 2 trainings." in notes
    assert "in points: replicates 2.0, sets in one 3.0, students of a set 4.0 (root mean" in notes
    assert "↑ better, ↓ worse, ≈ not distinguishable from it" in notes
    assert "“not run”: this study leaves out IGD at IPC 5." in notes
    assert "“missing”" in notes
    assert "Published" not in notes


def test_a_source_under_another_protocol_is_named_as_that():
    (sheet,) = shown({**TABLES, "published": FIGURES}, OF_FAMILY)
    assert sheet.sources == [("a", "A"), ("b", "B; under another, not p")]
    igd, rsm = entries(sheet)["IGD"][1], entries(sheet)["RSM (λ | η)"]
    assert (igd.published, igd.note) == ("69.0", "a")
    assert [(entry.published, entry.note) for entry in rsm] == [("67.0", "a"), ("68.0", "b")]
    assert any("DM 13.0 (IPC 1)" in note for note in sheet.notes)


def test_over_several_boards_the_best_are_counted():
    rows, _ = board()
    other = [{**row, "student": "t"} for row in rows]
    name = "DiT & co_1 <base> 100%"
    assert overall([*rows, *other], COMPARISON) == [
        f"RSM (λ | η) has the highest mean of the synthetic sets in 2 of 4 comparisons, "
        f"better than {name} in 2 of them.",
        f"{name} has the highest mean of the synthetic sets in 2 of 4 comparisons.",
        "4 of 22 rows are missing.",
    ]


# Renderings.


def test_markdown_has_a_column_an_ipc_and_a_row_a_method_with_the_ceiling_last():
    text = markdown(shown({**TABLES, "published": FIGURES}, OF_FAMILY))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    assert {len(row) for row in cells} == {3}
    assert cells[0] == [" Method ", " IPC 1 ", " IPC 5 "]
    assert [row[0].strip() for row in cells[2:]] == [
        "Random real images",
        r"DiT &amp; co\_1 &lt;base&gt; 100%",
        "IGD",
        r"RSM (λ \| η)",
        "Broken",
        "*All real images*",
    ]
    assert cells[5][1].strip() == "**77.5 ± 1.0** ↑ <sub>67.0</sub><sup>a</sup>"
    assert cells[4][2].strip() == "*not run* <sub>69.0</sub><sup>a</sup>"
    assert cells[6][1].strip() == "*missing*"
    assert cells[7][2].strip() == "99.0 ± 1.0"


def test_words_pass_through_markdown_as_they_are():
    assert escape_markdown("a_b*c|d<e>&`[x]$") == r"a\_b\*c\|d&lt;e&gt;&amp;\`\[x\]\$"


def test_words_pass_through_latex_as_they_are():
    assert escape_latex("50 % of A_1 & {B} #2 $x \\ ~^") == (
        r"50 \% of A\_1 \& \{B\} \#2 \$x \textbackslash{} \textasciitilde{}\textasciicircum{}"
    )
    assert escape_latex("λ ± ³") == r"$\lambda$ $\pm$ \textsuperscript{3}"


def test_every_line_of_the_latex_table_fills_its_columns():
    text = latex(shown({**TABLES, "published": FIGURES}, OF_FAMILY))
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert r"\begin{tabular}{lr@{ }lr@{ }l}" in text
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    for line in (line for line in body.splitlines() if line.endswith(r"\\")):
        spans = [int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line)]
        assert len(re.findall(r"(?<!\\)&", line)) + sum(spans) == 4, line
    assert r"\multicolumn{4}{c}{99.0 $\pm$ 1.0}" in body
    assert r"\textbf{77.5 $\pm$ 1.0}" in body
    assert re.search(r"[^\x00-\x7f]", text) is None


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_compiles(tmp_path):
    found = shown({**TABLES, "published": FIGURES}, OF_FAMILY)
    (tmp_path / "board.tex").write_text(latex(found), encoding="utf-8")
    (tmp_path / "doc.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}"
        r"\begin{document}\input{board}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "doc.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


class Page(HTMLParser):
    """The words of each table row, what tags are left open, and what is fetched."""

    VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.widths, self.fetched = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.fetched += [given[name] for name in ("src", "href") if name in given]
        if tag in self.VOID:
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
            self.widths.append(0)
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.widths[-1] += int(given.get("colspan", 1))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def html_page(tables=TABLES, specs=SPECS):
    rows, _ = board(tables, specs)
    found = sheets(rows, COMPARISON, elsewhere(specs, tables["published"], rows))
    return page(found, rows, overall(rows, COMPARISON))


@pytest.mark.parametrize("figures", [[], FIGURES])
def test_the_page_is_whole_and_needs_nothing_beside_it(figures):
    text = html_page({**TABLES, "published": figures}, OF_FAMILY)
    read = Page(text)
    assert read.open == []
    assert read.fetched == []
    assert "url(" not in text
    assert "@import" not in text
    assert len(set(read.widths)) == 1


def test_the_page_shows_each_row_with_its_words():
    rows = Page(html_page()).rows
    assert rows[0] == ["Method", "IPC 1", "IPC 5"]
    assert ["IGD", "75.0 ± 1.0≈", "not run"] in rows
    assert ["Broken", "missing", "missing"] in rows
    assert ["DiT & co_1 <base> 100%", "70.0 ± 1.0", "80.0 ± 1.0"] in rows
    assert rows[-1][0] == "All real images"


def test_the_page_opens_with_its_findings():
    text = html_page()
    assert text.index(html.escape("At IPC 1, RSM")) < text.index("<table>")


def test_the_page_shows_what_stands_beside_accuracy_and_what_of_it_failed():
    tables = {
        **TABLES,
        "diversity": [
            measures("rsm", 1, precision=0.5),
            measures("dit", 1, recall=0.25),
        ],
        "fid": [
            measures("rsm", 1, fid=7.125, kid=-0.0125, extractor="x-net"),
            {**spec("dit", 1), "status": "missing"},
        ],
    }
    text = html_page(tables)
    rows = Page(text).rows
    assert ["Method", "precision", "recall", "Fréchet distance", "KID"] in rows
    assert ["RSM (λ | η)", "0.500", "–", "7.125", "−0.0125"] in rows
    assert ["DiT & co_1 <base> 100%", "–", "0.250", "missing", "missing"] in rows
    assert ["Random real images", "–", "–", "–", "–"] in rows
    assert ["IGD", "not run", "not run", "not run", "not run"] in rows
    assert "in the features of x-net" in text
