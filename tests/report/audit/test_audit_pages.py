"""The leaderboard's pages, read back and held against its CSV: each wrong figure is found."""

import re
from dataclasses import replace

import pytest

from lighthouse.report.audit.checks import finding
from lighthouse.report.audit.parsed import (
    Cell,
    html_sheets,
    latex_sheets,
    markdown_sheets,
    plain,
)
from lighthouse.report.pages import latex, markdown, page
from lighthouse.report.sheets import Entry, Sheet
from plants import BY_NAME

MD, TEX, HTML = (f"tables/leaderboard.{kind}" for kind in ("md", "tex", "html"))

SHEET = Sheet(
    "toy",
    "p",
    "a_student",
    [1, 5],
    [
        ("MGD³ | λ & <co>", [Entry("60.0 ± 1.0", mark="↑"), Entry("not run", "not run")]),
        (
            "Own_one 100%",
            [
                Entry("70.0", best=True, published="62.4 ± 0.2", note="a"),
                Entry("missing", "missing", published="11.0", note="b"),
            ],
        ),
    ],
    [
        ("All real images", Entry("98.9 ± 0.4", published="99.0", note="a")),
        ("All images, reconstructed", Entry("91.0 ± 0.2")),
    ],
    ["At IPC 1, Own_one 100% has the highest mean (70.0 %)."],
    ["Over 5 × 2 trainings; 3 ± 1 ≈ 3."],
    [("a", "A. & B., Table 1"), ("b", "C; under q, not p")],
)
LINES = [
    [Cell("60.0 ± 1.0", mark="↑"), Cell("not run")],
    [Cell("70.0", True, "", "62.4 ± 0.2", "a"), Cell("missing", published="11.0", note="b")],
    [Cell("98.9 ± 0.4", published="99.0", note="a")] * 2,
    [Cell("91.0 ± 0.2")] * 2,
]
WRITTEN = {
    "md": lambda: markdown_sheets(markdown([SHEET])),
    "tex": lambda: latex_sheets(latex([SHEET])),
    "html": lambda: html_sheets(page([SHEET], [], [])),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_written_table_reads_back(kind):
    (sheet,) = WRITTEN[kind]()
    assert plain(sheet.title) == "toystudentastudentprotocolp"
    assert sheet.ipcs == ["1", "5"]
    labels = ["MGD3co", "Ownone100", "Allrealimages", "Allimagesreconstructed"]
    assert [plain(label) for label, _ in sheet.lines] == labels
    assert [cells for _, cells in sheet.lines] == LINES
    assert {letter: plain(text) for letter, text in sheet.sources.items()} == {
        "a": "ABTable1",
        "b": "Cunderqnotp",
    }
    assert "5 × 2 trainings" in " ".join(sheet.sentences)


def test_a_page_without_published_figures_has_a_column_an_ipc():
    bare = replace(
        SHEET, lines=[("x", [Entry("60.0 ± 1.0"), Entry("70.0", best=True)])], ceilings=[]
    )
    (sheet,) = html_sheets(page([bare], [], []))
    assert sheet.lines == [("x", [Cell("60.0 ± 1.0"), Cell("70.0", True)])]


def test_a_ceiling_at_one_ipc_reads_back():
    one = replace(SHEET, ipcs=[1], lines=[("x", [Entry("60.0")])])
    for sheets in (html_sheets(page([one], [], [])), latex_sheets(latex([one]))):
        assert sheets[0].lines[1][1] == LINES[2][:1]


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_ceiling_that_failed_reads_back(kind, monkeypatch):
    failed = ("All real images", Entry("missing", "missing", published="99.0", note="a"))
    monkeypatch.setitem(globals(), "SHEET", replace(SHEET, ceilings=[failed]))
    (sheet,) = WRITTEN[kind]()
    assert sheet.lines[2][1] == [Cell("missing", published="99.0", note="a")] * 2


# What is planted in a page is found.


def row_of(results, method, ipc):
    rows = results.tables["tables/leaderboard.csv"]
    return next(row for row in rows if (row["method"], row["ipc"]) == (method, ipc))


def findings(check, results, grid, path, old, new):
    """What is found in a page in which the first ``old`` is ``new``."""
    text = results.pages[path]
    assert old in text
    changed = replace(results, pages={**results.pages, path: text.replace(old, new, 1)})
    return [finding(claim) for claim in BY_NAME[check](changed, grid) if not claim.holds]


def line_of(text, label):
    figures = ("</td>", "| ", " & ")
    return next(
        line
        for line in text.splitlines()
        if label in line and any(sign in line for sign in figures) and "caption" not in line
    )


@pytest.mark.parametrize("path", (MD, TEX, HTML))
@pytest.mark.parametrize("part", ("mean", "deviation"))
def test_a_wrong_figure_of_a_page_is_found(path, part, results, invented):
    row = row_of(results, "herding", 2)
    line = line_of(results.pages[path], "Herding")
    sign = r" $\pm$ " if path == TEX else " ± "
    mean, std = f"{row['top1_mean']:.1f}", f"{row['top1_std']:.1f}"
    wrong = row["top1_mean"] + 0.2 if part == "mean" else row["top1_std"] + 0.2
    new = (f"{wrong:.1f}", std) if part == "mean" else (mean, f"{wrong:.1f}")
    planted = line.replace(sign.join((mean, std)), sign.join(new))
    assert planted != line
    (found,) = findings("figures_of_pages", results, invented.grid, path, line, planted)
    column = "top1_mean" if part == "mean" else "top1_std"
    assert (found["table"], found["column"]) == (path, column)
    assert "ipc 2, method herding" in found["row"]
    assert found["found"] == pytest.approx(wrong, abs=0.051)
    assert found["expected"] == row[column]


@pytest.mark.parametrize("part", ("score", "deviation", "label", "none"))
def test_a_wrong_label_robust_score_is_found(part, results, invented):
    row = row_of(results, "herding", 2)
    shown = f"{row['lrs']:.1f} ± {row['lrs_std']:.1f}"
    scores = results.pages[MD].partition("| Label-robust score |")[2]
    line = line_of(scores, "Herding")
    planted = {
        "score": line.replace(shown, f"{row['lrs'] + 0.2:.1f} ± {row['lrs_std']:.1f}"),
        "deviation": line.replace(shown, f"{row['lrs']:.1f} ± {row['lrs_std'] + 0.2:.1f}"),
        "label": line.replace("Herding", "Hoarding"),
        "none": line.replace("–", "20.0"),
    }[part]
    assert planted != line
    column = {"score": "lrs", "deviation": "lrs_std", "label": "label", "none": "lrs"}[part]
    (found,) = findings("scores_of_the_page", results, invented.grid, MD, line, planted)
    assert (found["table"], found["column"]) == (MD, column)


MARKED = {"better": "↑", "worse": "↓", "not distinguishable": "≈"}
IN_TEX = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "≈": r"$\approx$"}


@pytest.mark.parametrize("path", (MD, TEX, HTML))
def test_a_wrong_mark_is_found(path, results, invented):
    mark = MARKED[row_of(results, "herding", 2)["verdict"]]
    other = "↓" if mark != "↓" else "↑"
    line = line_of(results.pages[path], "Herding")
    old, new = (IN_TEX.get(m, m) if path == TEX else m for m in (mark, other))
    planted = line.replace(old, new)
    (found,) = findings("figures_of_pages", results, invented.grid, path, line, planted)
    assert (found["column"], found["found"], found["expected"]) == ("mark", other, mark)


BOLD = {MD: ("**", ""), TEX: (r"\textbf{", r"\textrm{"), HTML: ("<b>", "<i>")}


@pytest.mark.parametrize("path", BOLD)
def test_a_best_figure_that_is_not_bold_is_found(path, results, invented):
    old, new = BOLD[path]
    line = next(line for line in results.pages[path].splitlines() if old in line)
    planted = line.replace(old, new)
    if path == TEX:
        planted = re.sub(r"\\textbf\{(.*?)\}", r"\1", line)
    found = findings("figures_of_pages", results, invented.grid, path, line, planted)
    assert ("bold", False, True) in [(f["column"], f["found"], f["expected"]) for f in found]


@pytest.mark.parametrize("path", (MD, TEX, HTML))
def test_a_status_that_is_not_the_rows_is_found(path, results, invented):
    line = line_of(results.pages[path], "IGD on the base prior")
    planted = line.replace("not run", "missing")
    found = findings("figures_of_pages", results, invented.grid, path, line, planted)
    told = [(f["column"], f["found"], f["expected"]) for f in found]
    assert ("status", "missing", "not run") in told


@pytest.mark.parametrize("path", (MD, TEX, HTML))
@pytest.mark.parametrize(
    "old, new, column", (("67.0", "66.9", "published"), ("0.5", "0.7", "published_std"))
)
def test_a_wrong_published_figure_is_found(path, old, new, column, results, invented):
    line = next(row for row in results.pages[path].splitlines() if "67.0" in row)
    at = line.index("67.0")
    planted = line[:at] + line[at:].replace(old, new, 1)
    (found,) = findings("figures_of_pages", results, invented.grid, path, line, planted)
    assert (found["column"], found["found"]) == (column, float(new))
    assert "ipc 1, method rsm" in found["row"]


@pytest.mark.parametrize("path", (MD, TEX, HTML))
def test_a_source_that_is_not_the_rows_is_found(path, results, invented):
    source = {MD: "B &amp; co", TEX: r"B \& co", HTML: "B &amp; co"}[path]
    found = findings("figures_of_pages", results, invented.grid, path, source, "Someone")
    assert (found[0]["column"], found[0]["expected"]) == ("published_source", "Bco")
    found = findings("figures_of_pages", results, invented.grid, path, "; under another", "; of")
    assert {f["column"] for f in found} == {"published_protocol"}


@pytest.mark.parametrize("path", (MD, TEX, HTML))
def test_another_method_is_found(path, results, invented):
    line = line_of(results.pages[path], "Herding")
    planted = line.replace("Herding", "Herd")
    found = findings("pages_show_the_boards", results, invented.grid, path, line, planted)
    assert [(f["table"], f["column"]) for f in found] == [(path, "methods")]


@pytest.mark.parametrize("path", (MD, TEX, HTML))
def test_another_ipc_or_student_is_found(path, results, invented):
    old, new = {MD: ("| IPC 2 |", "| IPC 3 |"), TEX: ("{IPC 2}", "{IPC 3}")}.get(
        path, (">IPC 2<", ">IPC 3<")
    )
    (found,) = findings("pages_show_the_boards", results, invented.grid, path, old, new)
    assert (found["column"], found["found"], found["expected"]) == ("IPCs", "1, 3", "1, 2")
    titled = ("student convnet3, protocol", "student convnet4, protocol")
    found = findings("pages_show_the_boards", results, invented.grid, path, *titled)
    assert "title" in {f["column"] for f in found}


MEASURED = {
    "coverage": ("coverage", "{:.3f}"),
    "precision": ("precision", "{:.3f}"),
    "recognised": ("recognised", "{:.3f}"),
    "nearest_latent": ("nearest_latent", "{:.3f}"),
    "nearest_feature": ("nearest_feature", "{:.3f}"),
    "log_det": ("log_det", "{:.3g}"),
    "fid": ("fid", "{:.4g}"),
    "seconds_per_image": ("seconds_per_image", "{:.3g}"),
}


@pytest.mark.parametrize("column", MEASURED)
def test_a_wrong_measure_beside_accuracy_is_found(column, results, invented):
    value = row_of(results, "rsm-cgs", 2)[column]
    shown = "<td>{}</td>".format(MEASURED[column][1].format(value).replace("-", "−"))
    found = findings("measures_of_the_page", results, invented.grid, HTML, shown, "<td>123</td>")
    assert [(f["column"], f["found"], f["expected"]) for f in found] == [(column, 123.0, value)]


def test_a_measure_that_the_audit_does_not_know_is_found(results, invented):
    change = ("<th>coverage</th>", "<th>a new one</th>")
    found = findings("measures_of_the_page", results, invented.grid, HTML, *change)
    assert (found[0]["column"], found[0]["found"]) == ("heading", "a new one")


# Sentences.


def best_of(results, ipc):
    made = ("random", "herding", "full")
    rows = [
        row
        for row in results.tables["tables/leaderboard.csv"]
        if row["ipc"] == ipc and row["method"] not in made and row["status"] == "measured"
    ]
    return max(rows, key=lambda row: row["top1_mean"])


@pytest.mark.parametrize("path", (MD, HTML))
def test_a_wrong_number_of_a_finding_is_found(path, results, invented):
    best = best_of(results, 2)
    said = results.pages[path]
    at_two = said[said.index("At IPC 2") :].splitlines()[0]
    planted = at_two.replace(f"mean ({best['top1_mean']:.1f} %)", "mean (1.0 %)")
    (found,) = findings("first_of_each_ipc", results, invented.grid, path, at_two, planted)
    assert (found["column"], found["found"], found["expected"]) == (
        "top1_mean",
        1.0,
        best["top1_mean"],
    )
    assert "the sentence on IPC 2" in found["row"]


def test_a_finding_that_is_not_there_is_found(results, invented):
    (found,) = findings("first_of_each_ipc", results, invented.grid, MD, "At IPC 2,", "Of IPC 2,")
    assert (found["column"], found["found"], found["expected"]) == ("sentences", 0, 1)


@pytest.mark.parametrize("path", (MD, TEX, HTML))
def test_wrong_numbers_of_the_notes_are_found(path, results, invented):
    times = r" $\times$ " if path == TEX else " × "
    for old, new, column in (
        (f"over 2{times}2{times}2", f"over 5{times}2{times}2", "trainings"),
        (
            "All real images: over 4 trainings.",
            "All real images: over 5 trainings.",
            "trainings of All real images",
        ),
        (
            "All images, reconstructed: over 4 trainings.",
            "All images, reconstructed: over 5 trainings.",
            "trainings of All images, reconstructed",
        ),
        ("in points: replicates ", "in points: replicates 9", "spread of std_replicates"),
        (", sets in one ", ", sets in one 9", "spread of std_sets"),
        (", students of a set ", ", students of a set 9", "spread of std_students"),
        ("of one column, at 0.05", "of one column, at 0.01", "alpha"),
    ):
        if path == HTML:
            old, new = (text.replace("'", "&#39;") for text in (old, new))
        (found,) = findings("notes_of_pages", results, invented.grid, path, old, new)
        assert (found["table"], found["column"]) == (path, column)


@pytest.mark.parametrize("path", (MD, TEX, HTML))
def test_a_wrong_figure_of_a_method_without_a_row_is_found(path, results, invented):
    change = ("DM 13.0", "DM 14.0")
    (found,) = findings("published_elsewhere", results, invented.grid, path, *change)
    assert (found["column"], found["found"], found["expected"]) == ("published", 14.0, 13.0)
    assert "method DM, ipc 2" in found["row"]
