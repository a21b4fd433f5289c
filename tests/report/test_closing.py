"""The last lines of a study: from results as a run leaves them."""

import subprocess
import sys

import pytest

from choices import ALONE, SYNTHETIC_WINS, THREE, record, row
from lighthouse.report.closing import WIDTH, lines
from lighthouse.report.recommendation import COLUMNS, recommendation_rows
from lighthouse.tables import write_rows
from repository import LIBRARY

ARGUMENTS = ["--configfile", "my study.yaml"]


def told(folder, given, replicates=THREE, pages=(), at="runs/mine"):
    """The lines of a study in ``folder``, each without what wraps it."""
    tables = folder / "results" / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    rows, records = [], []
    for (method, ipc), values in given.items():
        rows.append(row(method, ipc))
        records.append(record(*values) if values else None)
    made = recommendation_rows(records, rows, replicates, 0.05)
    write_rows(tables / "recommendation.csv", made, COLUMNS)
    for page in pages:
        (tables / f"{page}.html").touch()
    return lines(folder / "results", ARGUMENTS, at)


def at_ipc(given, *ipcs):
    return {(method, ipc): values for ipc in ipcs for method, values in given.items()}


def test_each_ipc_says_what_to_take_and_where_its_images_are(tmp_path):
    (tmp_path / "results/distilled/toy/dit/ipc~5/seed~2").mkdir(parents=True)
    found = told(tmp_path, at_ipc(SYNTHETIC_WINS, 10, 5), pages=["leaderboard"])
    assert found[0] == "What to take of toy, student s, protocol p:"
    first = [line.split()[:5] for line in found if line.startswith("  At IPC")]
    assert first == [["At", "IPC", ipc, "take", "DIT:"] for ipc in ("5", "10")]
    assert "    Its images: runs/mine/results/distilled/toy/dit/ipc~5/seed~2" in found
    assert sum("Its images" in line for line in found) == 1  # the others are not handed on
    assert "  runs/mine/results/tables/leaderboard.html" in found
    assert not any("claims.html" in line for line in found)


def test_the_command_of_the_report_names_the_study_as_it_was_started(tmp_path):
    *_, where, command = told(tmp_path, at_ipc(SYNTHETIC_WINS, 5))
    assert where == "All tables and figures in one file, runs/mine/report.html:"
    assert command == "  uv run snakemake --configfile 'my study.yaml' --report report.html"


@pytest.mark.parametrize(
    ("replicates", "over"), [(THREE, "over 3 replicates"), (ALONE, "3 sets of one replicate")]
)
def test_what_differences_are_over_is_said(tmp_path, replicates, over):
    text = " ".join(" ".join(told(tmp_path, at_ipc(SYNTHETIC_WINS, 5), replicates)).split())
    assert over in text and "more than chance" in text


def test_real_images_that_are_ahead_are_recommended(tmp_path):
    given = {"k": ([70, 71, 75], [70, 71, 75]), "dit": ([68, 74, 71], [69, 70, 71])}
    text = " ".join(" ".join(told(tmp_path, at_ipc(given, 5))).split())
    assert "At IPC 5 take K:" in text
    assert "no synthetic set is above them on the validation images" in text


def test_what_is_missing_is_said(tmp_path):
    given = {("dit", 5): ([70, 71, 72], [70, 71, 72]), ("random", 5): None, ("random", 10): None}
    text = "\n".join(told(tmp_path, given))
    assert "Missing, because a computation failed: RANDOM." in text
    assert "At IPC 10 there is nothing to take: no set is measured." in text


def test_no_line_but_a_path_or_a_command_is_wider_than_a_terminal(tmp_path):
    found = told(tmp_path, at_ipc(SYNTHETIC_WINS, 1, 5, 10))
    assert all(len(line) <= WIDTH for line in found if "/" not in line)


def test_without_a_recommendation_nothing_is_said(tmp_path):
    assert lines(tmp_path / "results", ARGUMENTS) == []
    told(tmp_path, at_ipc(SYNTHETIC_WINS, 5))
    (tmp_path / "results/tables/recommendation.csv").write_text("torn")
    assert lines(tmp_path / "results", ARGUMENTS) == []


def test_the_end_of_a_run_loads_nothing_heavy():
    code = (
        f"import sys; sys.path.insert(0, {str(LIBRARY)!r}); import lighthouse.report.closing; "
        "print(*({'torch', 'pandas', 'scipy', 'matplotlib', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
