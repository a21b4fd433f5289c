"""A study that is killed, and one that is damaged, end as one that nobody touched."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.kills import Kills, Run, compared, job_seconds, main, moment
from lighthouse import verify
from lighthouse.alike import unlike
from lighthouse.config.paths import UNLISTED
from lighthouse.manifest import find_results, read_manifest
from lighthouse.tables import read_rows
from repository import ROOT

TINY = "tests/configs/tiny.yaml"


def test_kills_are_spread_over_the_study():
    found = [moment(kill, 20, 0.5, seconds=100.0, ended=0.0) for kill in range(20)]
    assert found == [5 * kill + 2.5 for kill in range(20)]


@given(st.integers(0, 19), st.floats(0, 0.99), st.floats(0, 100))
def test_a_kill_comes_before_the_end_and_not_before_what_has_ended(kill, draw, ended):
    found = moment(kill, 20, draw, seconds=100.0, ended=ended)
    assert ended <= found <= 100.0
    assert found < 100.0 or ended == 100.0


def test_the_seconds_of_a_job_are_those_of_its_benchmark(tmp_path):
    folder = tmp_path / "results" / "benchmarks" / "priors" / "rsm"
    folder.mkdir(parents=True)
    (folder / "lr~0.001.tsv").write_text("s\th:m:s\n1.5\t0:00:01\n")
    (folder / "lr~0.002.tsv").write_text("")  # it is being written
    assert job_seconds(tmp_path) == {"priors/rsm/lr~0.001": 1.5}


#: A command whose child, in a session of its own, writes a job's log, and starts one more.
DETACHED = """
import subprocess, sys, time
from pathlib import Path
log = Path(sys.argv[1]) / "results" / "logs" / "priors" / "base.log"
log.parent.mkdir(parents=True, exist_ok=True)
sleeps = "import time; time.sleep(600)"
child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeps!r}])"
with log.open("w") as file:
    subprocess.Popen([sys.executable, "-c", child], stdout=file, start_new_session=True).wait()
"""


def test_a_kill_takes_all_that_a_run_has_started_wherever_it_went(tmp_path):
    with Run([sys.executable, "-c", DETACHED, str(tmp_path)], tmp_path / "log") as run:
        until = time.monotonic() + 60
        while len(own := [*run.own()]) < 3 and time.monotonic() < until:
            time.sleep(0.05)
        assert len(own) == 3
        assert list(run.jobs()) == ["priors/base"]
        time.sleep(0.05)
        assert run.jobs()["priors/base"] > 0.05
        run.kill()
        assert not [pid for pid in own if lives(pid)]


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(("code", "how"), [(0, "ended"), (3, "failed (exit 3)")])
def test_a_study_that_ends_before_it_is_killed_is_a_failure(tmp_path, code, how):
    kills = Kills([sys.executable, "-c", f"raise SystemExit({code})"], tmp_path, {"a": 1.0})
    assert kills.go_through([0.5]) == f"it {how} before kill 1: {tmp_path / 'kills.log'}"


#: A run with nothing to do, which lists what was written if its target is forced.
IDLE = """
import sys
from pathlib import Path
Path("--force" in sys.argv and sys.argv[1] or "nothing").unlink(missing_ok=True)
"""


def test_a_kill_behind_the_last_job_leaves_a_list_that_is_still_written(tmp_path):
    mark = tmp_path / "results" / UNLISTED
    mark.parent.mkdir()
    mark.touch()
    assert Kills([sys.executable, "-c", IDLE, str(mark)], tmp_path, {}).go_through([]) is None
    assert not mark.exists()


# A small study.


def snakemake(folder, *arguments):
    command = ["snakemake", "--cores", "all", "--configfile", TINY, "--directory", str(folder)]
    return run([sys.executable, "-m", *command, *arguments])


def run(command, **options):
    return subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


@pytest.fixture(scope="module")
def killed(reference, tmp_path_factory):
    """The same study, killed three times."""
    folder = tmp_path_factory.mktemp("killed") / "study"
    options = ["--kills", "3", "--directory", str(folder), "--reference", str(reference)]
    code = main([*options, "--configfile", TINY])
    assert code == 0, (folder / "kills.log").read_text()
    return folder


@pytest.mark.workflow
def test_a_study_that_is_killed_ends_with_the_same_results(killed, reference):
    assert [row["running"] != row["running"] for row in read_rows(killed / "kills.csv")] == [
        False
    ] * 3  # a job ran each time
    lines, same = compared(reference, killed)
    assert same, lines
    assert not (killed / "results" / UNLISTED).exists()


@pytest.mark.workflow
def test_a_comparison_tells_another_byte(killed, reference, tmp_path):
    """So that the equality above is not one of nothing with nothing."""
    timed, other = unlike(reference / "results", killed / "results")
    assert "tables/cost.csv" in timed and other == []
    assert len(find_results(killed / "results")) > 1000
    assert len(timed) < 100


def files(folder, pattern):
    return sorted((folder / "results").glob(pattern))[0]


#: A file of each kind, by patterns below the results; none of the data, behind which all is made.
KINDS = [
    "tables/leaderboard.md",
    "figures/spectrum.pdf",
    "audit.json",
    "samples/digits/dit/*/table/images.safetensors",
    "students/*/*/digits/rsm/*/table.json",
    "metrics/sets/digits/mgd3/*/table.json",
    "priors/digits/replicate~1/rsm/lambda~0/*/*.safetensors",
    "distilled/digits/cgs-tuned/*/*/*/*.png",
]


@pytest.mark.workflow
def test_what_is_changed_is_told_by_the_next_run_and_by_no_touch(killed):
    path = files(killed, "tables/leaderboard.md")
    text, before = path.read_bytes(), read_manifest(killed / "results").files
    path.write_bytes(text.replace(b"a", b"b"))
    touched = snakemake(killed, "--touch")
    assert touched.returncode == 0, touched.stdout
    assert "changed since a run wrote it" not in touched.stdout
    done = snakemake(killed, "--force")
    assert done.returncode == 1
    assert "results/tables/leaderboard.md: changed since a run wrote it" in done.stdout
    assert "1 of 1 steps" in done.stdout
    assert read_manifest(killed / "results").files == before
    path.write_bytes(text)
    assert verify.main([str(killed)]) == 0


@pytest.mark.workflow
def test_a_damaged_study_is_whole_again_when_advice_is_followed_to_the_letter(killed, reference):
    results = killed / "results"
    for pattern in KINDS:
        path = files(killed, pattern)
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
    files(killed, "figures/samples/digits.png").unlink()
    (results / "tables" / "mine.csv").write_text("a\n")
    assert verify.main([str(killed)]) == 1
    manifest = read_manifest(results)
    for command in verify.advice(results, manifest, verify.look(results, manifest)):
        # The interpreter of the tests stands for the one that uv finds.
        own = command.replace("uv run python", sys.executable)
        own = own.replace("uv run snakemake", f"{sys.executable} -m snakemake")
        done = run(own, shell=True)  # noqa: S604 (as a user types it)
        assert done.returncode == 0, done.stdout
    assert unlike(reference / "results", results)[1] == []
