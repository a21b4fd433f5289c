"""The findings of a page are those of the tables that it names."""

import subprocess
import sys

import pytest

from lighthouse.report.claims import COLUMNS
from lighthouse.report.findings import Source, block, findings, given_in, renewed, sources
from lighthouse.tables import read_rows, write_rows
from repository import LIBRARY, ROOT

NAN = float("nan")
#: Documents of the repository that have a block.
DOCUMENTS = [
    str(path.relative_to(ROOT))
    for path in sorted(ROOT.glob("docs/**/*.md"))
    if given_in(path.read_text(encoding="utf-8"))
]
#: The page that the command renews unless told another.
PAGE = "docs/findings.md"
EMPTY = "before\n\n<!-- findings of: -->\n<!-- end of findings -->\n\nafter\n"


def row(claim, verdict, effect=2.5, detectable=4.0, **more):
    return {
        **dict.fromkeys(COLUMNS, NAN),
        "dataset": "digits",
        "claim": claim,
        "says": f"Claim {claim} is so.",
        "place": "S §1",
        "measure": "accuracy",
        "unit": "points",
        "basis": "test",
        "ipc": 5,
        "effect": effect,
        "ci_low": effect - 1,
        "ci_high": effect + 1,
        "detectable": detectable,
        "verdict": verdict,
        **more,
    }


ROWS = [
    row("a", "holds"),
    row("b", "undecided", -0.5),
    row("c", "holds", -40, NAN, ci_low=NAN, basis="count", unit="passes"),
    row("d", "missing", NAN, NAN, ci_low=NAN),
]
OTHER = [row("a", "holds", 3.0), row("b", "does not hold", -2.0), ROWS[2]]


@pytest.fixture
def folder(tmp_path):
    """A folder with two tables of claims and a page that has room for findings."""
    write_rows(tmp_path / "one.csv", ROWS, COLUMNS)
    write_rows(tmp_path / "two.csv", OTHER, COLUMNS)
    (tmp_path / PAGE).parent.mkdir()
    (tmp_path / PAGE).write_text(EMPTY, encoding="utf-8")
    return tmp_path


def test_a_table_has_a_sentence_and_a_line_a_claim():
    head, table = findings({"": ROWS}).split("\n\n")
    assert head == "Of 4 claims, 2 hold, 1 is undecided, 1 is missing."
    assert table.splitlines() == [
        "| Claim | Effect (interval), verdict |",
        "| --- | --- |",
        "| Claim a is so. (S §1) | +2.5 (+1.5 to +3.5) points: **holds** |",
        "| Claim b is so. (S §1) | −0.5 (−1.5 to +0.5) points: **undecided** (finds 4) |",
        "| Claim c is so. (S §1) | −40 passes: **holds** |",
        "| Claim d is so. (S §1) | missing |",
    ]


def test_two_tables_stand_side_by_side():
    head, table = findings({"as it is": ROWS, "AVX2": OTHER}).split("\n\n")
    assert "*as it is*: Of 4 claims" in head and "*AVX2*: Of 3 claims" in head
    assert head.endswith("3 of 4 verdicts are the same in all.")
    lines = table.splitlines()
    assert lines[0] == "| Claim | as it is | AVX2 |"
    assert lines[3].count("**undecided**") == lines[3].count("**does not hold**") == 1
    assert lines[5].endswith("| missing | missing |")


def test_datasets_stand_apart():
    more = [{**one, "dataset": "woof_b"} for one in ROWS]
    text = findings({"": ROWS + more})
    assert text.count("| Claim a is so.") == 2
    assert "**digits**" in text and "**woof\\_b**" in text


def run(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "lighthouse.report.findings", *words],
        cwd=folder,
        env={"PYTHONPATH": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )


def test_the_command_writes_the_block_and_it_can_be_made_again(folder):
    done = run(folder, "as it is=one.csv", "AVX2=two.csv")
    assert done.returncode == 0, done.stderr
    text = (folder / PAGE).read_text(encoding="utf-8")
    assert text.startswith(
        "before\n\n<!-- findings of: 'as it is=one.csv' AVX2=two.csv -->\n*as it is*: Of"
    )
    assert text.endswith("|\n<!-- end of findings -->\n\nafter\n")
    given = given_in(text)
    assert given == [Source("as it is", "one.csv"), Source("AVX2", "two.csv")]
    assert renewed(text, block(given, folder)) == text
    assert run(folder, "one.csv").returncode == 0
    assert given_in((folder / PAGE).read_text(encoding="utf-8")) == [Source("", "one.csv")]


def test_what_it_cannot_do_it_says(folder):
    assert "need a name each" in run(folder, "one.csv", "two.csv").stderr
    assert "none.csv" in run(folder, "none.csv").stderr
    (folder / PAGE).write_text("nothing", encoding="utf-8")
    assert "no place for the findings" in run(folder, "one.csv").stderr


def test_another_page_is_renewed_where_it_is_named(folder):
    (folder / "mine.md").write_text(EMPTY, encoding="utf-8")
    assert run(folder, "one.csv", "--page", "mine.md").returncode == 0
    assert (folder / PAGE).read_text(encoding="utf-8") == EMPTY
    assert given_in((folder / "mine.md").read_text(encoding="utf-8")) == [Source("", "one.csv")]


def test_the_page_of_findings_has_some():
    assert PAGE in DOCUMENTS


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_says_what_the_tables_say_that_it_names(path):
    assert stale((ROOT / path).read_text(encoding="utf-8"), ROOT) is False


def test_a_page_that_says_something_else_is_stale(folder):
    text = renewed(EMPTY, block(sources(["one.csv"]), folder))
    assert stale(text, folder) is False
    assert stale(text.replace("+2.5", "+2.6"), folder) is True
    write_rows(folder / "one.csv", [*read_rows(folder / "one.csv")[:2]], COLUMNS)
    assert stale(text, folder) is True


def stale(text, root):
    """Whether a text has a block that its tables would not give."""
    given = given_in(text)
    return given is not None and renewed(text, block(given, root)) != text
