"""Text of a user's reaches figures, pages and tables as it stands, whatever it looks like."""

import math
import re
import shutil
import subprocess
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.text import Text
from PIL import Image

from boards import COMPARISON, FIGURES, NAN, OF_FAMILY, TABLES, board
from lighthouse.report.audit.parsed import latex_sheets, markdown_sheets, plain
from lighthouse.report.contact_sheets import images_figure
from lighthouse.report.curve_figures import ipc_figure
from lighthouse.report.figures import plt, save_figure, spectrum_figure
from lighthouse.report.leaderboard import elsewhere
from lighthouse.report.pages import latex, markdown, page
from lighthouse.report.rendering import table_page
from lighthouse.report.sheets import sheets
from lighthouse.report.tables import Table
from lighthouse.tables import TEXTS, read_rows, write_rows

LABELS = {
    "mathematics": r"$\frac$ <b>|&_",
    "one sign of it": r"5 $ a \$ piece",
    "markup": "<script>alert(1)</script> &amp; `x` *y* ~z~ [a](b)",
    "commands of LaTeX": r"\input{x} % {_^~#} \\ & $",
    "an argument of LaTeX's line end": "[3cm] *",
    "a formula of a spreadsheet": "=1+1",
    "a name that legends leave out": "_hidden",
    "a number": "1e5",
    "digits": "007",
    "no number": "nan",
    "a dash": "-",
    "signs that the font lacks": "数 🙂",
}
by_label = pytest.mark.parametrize("label", LABELS.values(), ids=list(LABELS))


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def saved(figure, folder):
    """The words of a figure that was drawn to both kinds of file, with no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, [folder / "figure.png", folder / "figure.pdf"])
    assert np.asarray(Image.open(folder / "figure.png")).std() > 0
    texts = figure.findobj(Text)
    formulas = {text.get_text() for text in texts if text.get_parse_math()} - {""}
    assert all("mathdefault" in text for text in formulas)
    return {text.get_text() for text in texts}


def accuracies(label):
    row = {"dataset": "d", "protocol": "p", "student": "s", "label": label, "top1_std": 1.0}
    return pd.DataFrame(
        [{**row, "method": "x", "ipc": ipc, "top1_mean": 50.0 + ipc} for ipc in (1, 10)]
        + [{**row, "method": "full", "ipc": "all", "top1_mean": 90.0}]
    )


@by_label
def test_a_label_is_drawn_as_it_stands(tmp_path, label):
    methods = [{"name": "x", "label": label, "coreset": "random"}]
    note = f"missing: {label}"
    words = saved(ipc_figure(accuracies(label), methods, note), tmp_path)
    assert {label, f"{label}: 90.0", note} <= words
    images = [np.zeros((2, 3, 8, 8), np.uint8)]
    assert {label} <= saved(images_figure(images, [label], [label, "b"]), tmp_path)


@by_label
def test_the_source_of_a_curve_is_drawn_as_it_stands_and_powers_as_powers(tmp_path, label):
    data = pd.DataFrame(
        {"dataset": "d", "source": label, "index": [0, 1], "mean": [1.0, 0.001], "std": 0.0}
    )
    figure = spectrum_figure(data, [label])
    assert label in saved(figure, tmp_path)
    powers = [text for text in figure.axes[0].get_yticklabels() if "10^" in text.get_text()]
    assert powers and all(text.get_parse_math() for text in powers)


class Words(HTMLParser):
    """The texts of a page, and the names of its tags."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.tags = [], set()
        self.feed(text)

    def handle_data(self, data):
        self.texts.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)


def written(label):
    """The leaderboard's renderings with a label, and a published source, of that text."""
    specs = [{**row, "label": label} if row["method"] == "igd" else row for row in OF_FAMILY]
    figures = [{**row, "source": label} for row in FIGURES]
    tables = {**TABLES, "published": figures}
    rows, _ = board(tables, specs)
    found = sheets(rows, COMPARISON, elsewhere(specs, figures, rows))
    return page(found, rows, []), markdown(found), latex(found)


@by_label
def test_a_label_stands_in_each_rendering_of_the_leaderboard(label):
    html, md, tex = written(label)
    as_page = Words(html)
    assert label in as_page.texts and f" {label}" in as_page.texts
    assert as_page.tags == Words(written("words")[0]).tags
    for found in (*markdown_sheets(md), *latex_sheets(tex)):
        assert plain(label) in [plain(name) for name, _ in found.lines]
        assert plain(label) in [plain(source) for source in found.sources.values()]
    assert Words(table_page(Table([{"label": label}]))).texts.count(label) == 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_takes_every_label(tmp_path):
    (tmp_path / "doc.tex").write_text(
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}\\begin{document}\n"
        + "".join(written(label)[2] for label in LABELS.values() if label.isascii())
        + "\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "doc.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
@example("1e5")
@example("007")
@example("nan")
@example("-")
@example('"')
def test_text_comes_back_from_a_table_as_it_was(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "texts.csv"
    row = dict.fromkeys(sorted(TEXTS), text) | {"number": 7, "none": NAN}
    write_rows(path, [row])
    (found,) = read_rows(path)
    assert math.isnan(found.pop("none"))
    assert found == {key: value for key, value in row.items() if key != "none"}


def test_a_table_of_published_figures_is_read_in_any_spelling_that_is_allowed(tmp_path):
    path = tmp_path / "published.tsv"
    text = '\ufeffmethod\ttop1\tsource\tstd\r\nDM\t1.5\tX "of" Y\r\n\t \r\n\r\nRSM\t2\t1e5\t0.5'
    path.write_bytes(text.encode())
    first, second = read_rows(path)
    assert math.isnan(first.pop("std"))
    assert first == {"method": "DM", "top1": 1.5, "source": 'X "of" Y'}
    assert second == {"method": "RSM", "top1": 2, "source": "1e5", "std": 0.5}


def test_digits_of_another_alphabet_are_no_number(tmp_path):
    write_rows(tmp_path / "t.csv", [{"a": "１", "b": "٣", "c": "12", "d": "-1.5e-05"}])
    assert read_rows(tmp_path / "t.csv") == [{"a": "１", "b": "٣", "c": 12, "d": -1.5e-05}]


def test_a_page_runs_no_script():
    assert not re.search("<script", "".join(written(LABELS["markup"])), re.IGNORECASE)
