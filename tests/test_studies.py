"""The shipped studies through Snakemake itself: dry runs, folders of their own, and their data."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
DOCS = (REPOSITORY / "docs" / "paper.md").read_text(encoding="utf-8")
#: Config files of a study, and its number of jobs, from the table in docs/paper.md.
ROWS = re.findall(r"^\| .* \| `(config/[^`]*)` \| (\d+) \|", DOCS, flags=re.M)

pytestmark = pytest.mark.workflow


def snakemake(*arguments, cwd=REPOSITORY):
    """What Snakemake says; started in the repository, or in a copy of it."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def clone(tmp_path):
    """The workflow in a folder of its own, without results or data."""
    for name in ("workflow", "config", "envs", "profiles", "tests/configs"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    shutil.copy(REPOSITORY / "Snakefile", tmp_path)
    return tmp_path


def test_the_table_of_studies_is_found():
    assert len(ROWS) == 3


@pytest.mark.parametrize(("files", "jobs"), ROWS)
def test_a_dry_run_needs_no_data_and_has_the_jobs_that_the_docs_count(clone, files, jobs):
    done = snakemake("-n", "--quiet", "rules", "--configfile", *files.split(), cwd=clone)
    assert done.returncode == 0, done.stdout
    assert re.search(rf"^total +{jobs}$", done.stdout, flags=re.M), done.stdout


def test_a_run_without_its_data_stops_before_any_job_and_says_what_belongs_where(clone):
    done = snakemake("--cores", 1, "--configfile", "config/paper.yaml", cwd=clone)
    assert done.returncode != 0
    assert f"{clone}/data/imagenet: no such folder" in done.stdout
    assert "train/<wnid>/" in done.stdout
    assert "rule " not in done.stdout
    assert not (clone / "runs" / "paper" / "results").exists()


def test_a_changed_study_that_goes_by_the_defaults_name_is_refused(clone):
    (clone / "my.yaml").write_text("run: {seeds: [7]}\n", encoding="utf-8")
    done = snakemake("-n", "--configfile", "my.yaml", cwd=clone)
    assert done.returncode != 0
    assert "differs in run; name it" in done.stdout
    done = snakemake("-n", "--quiet", "--configfile", "my.yaml", "--directory", "other", cwd=clone)
    assert done.returncode == 0, done.stdout


def test_a_named_study_works_in_its_own_folder(clone):
    (clone / "my.yaml").write_text("study: mine\nrun: {seeds: [7]}\n", encoding="utf-8")
    done = snakemake("--cores", 1, "--configfile", "my.yaml", "--", "results/study.json", cwd=clone)
    assert done.returncode == 0, done.stdout
    assert (clone / "runs" / "mine" / "results" / "study.json").is_file()
    assert not (clone / "results").exists()
