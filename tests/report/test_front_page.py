"""The first page of the report: what stands on it, and that Snakemake and docutils take it."""

import pytest
from docutils.core import publish_parts
from jinja2 import Environment

from choices import SYNTHETIC_WINS, THREE, record, row
from lighthouse.report.front_page import LARGEST, best_rows, is_asked_for, write_first_page
from lighthouse.report.recommendation import COLUMNS, recommendation_rows
from lighthouse.tables import read_rows, write_rows


@pytest.fixture
def study(tmp_path):
    """Folder of results, the text of all reports, and where the page goes."""
    rows = [{**row(method), "label": f"{method} {{{{ x }}}} & <b>"} for method in SYNTHETIC_WINS]
    records = [record(*values) for values in SYNTHETIC_WINS.values()]
    results = tmp_path / "results"
    (results / "tables").mkdir(parents=True)
    made = recommendation_rows(records, rows, THREE, 0.05)
    write_rows(results / "tables/recommendation.csv", made, COLUMNS)
    rest = tmp_path / "rest.rst"
    rest.write_text("**About** {{ name }}")
    return results, rest, tmp_path / ".snakemake" / "page.rst"


def shown(page):
    """The page as Snakemake makes it."""
    filled = Environment().from_string(page.read_text("utf-8")).render(name="all")  # noqa: S701
    return publish_parts(filled, writer_name="html")["html_body"]


def test_the_page_says_what_to_take_and_shows_the_rows_above_the_rest(study):
    html = shown(write_first_page(*study))
    assert "At IPC 5 take dit &#123;{ x }} &amp; &lt;b&gt;" in html
    assert html.index("<b>dit") < html.index("<td>herding") < html.index("<td>random")
    assert html.index("<td>random") < html.index("<strong>About</strong> all")
    assert "System Message" not in html
    assert "<img" not in html


def test_the_grid_of_images_is_on_it_unless_it_is_too_large(study):
    grid = study[0] / "figures/samples/toy.png"
    grid.parent.mkdir(parents=True)
    grid.write_bytes(bytes(range(256)) * 200)  # more than a line of docutils
    html = shown(write_first_page(*study))
    assert html.count('<img src="data:image/png;base64,') == 1 and "System Message" not in html
    grid.write_bytes(b"x" * (LARGEST + 1))
    assert "<img" not in shown(write_first_page(*study))


def test_without_a_recommendation_the_rest_stands_alone(study):
    (study[0] / "tables/recommendation.csv").unlink()
    assert write_first_page(*study) == study[1]


def test_the_taken_row_is_first_even_where_the_test_part_has_a_better_one(study):
    rows = read_rows(study[0] / "tables/recommendation.csv")
    lower = [{**one, "top1_val": 0.0 if one["taken"] == "yes" else 50.0} for one in rows]
    assert best_rows(lower)[0]["taken"] == "yes"


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["snakemake", "--report", "report.html"], True),
        (["snakemake", "--report=report.zip"], True),
        (["snakemake", "--report-stylesheet", "x"], False),
        (["snakemake", "report"], False),
    ],
)
def test_the_page_is_written_where_the_report_is_asked_for(words, asked):
    assert is_asked_for(words) == asked
