"""What a run says at a terminal can be read there: no line is longer than a few of its rows."""

import subprocess
import sys

import pytest

from repository import ROOT

#: Characters.
LONGEST = 400

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("study", ["config/evidence.yaml", "config/rivals.yaml"])
def test_no_line_of_a_large_study_is_too_long_to_be_read(study, tmp_path):
    run = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "-n", "--cores", "2"),
            *("--configfile", study, "--directory", tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said = (run.stdout + run.stderr).splitlines()
    assert [line for line in said if len(line) > LONGEST] == []
    assert any(line.endswith(" more") for line in said)


def test_an_error_names_files_that_open_from_where_the_command_was_typed(tmp_path):
    folder = tmp_path / "study"
    target = "results/tables/significance.csv"
    (folder / "results" / "tables").mkdir(parents=True)
    (folder / "results" / "tables" / "runs.csv").write_text("torn")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1"),
            *("--directory", folder, "--configfile", ROOT / "tests" / "configs" / "tiny.yaml"),
            *("--snakefile", ROOT / "Snakefile", "--rerun-triggers", "mtime"),
            *("--allowed-rules", "table_significance", "--", target),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode
    said = run.stdout + run.stderr
    torn = folder / "results/tables/runs.csv"
    assert f"{torn} cannot be read (its last line has no end)" in said
    assert f"log: {folder / 'results/logs/tables/significance.log'} (check" in said
