"""Damage is told, with what makes it good again."""

import os
import shlex
import subprocess

import pytest

from lighthouse.config.paths import MANIFEST
from lighthouse.manifest import begin, read_manifest
from lighthouse.verify import REPOSITORY, Found, advice, look, main, report
from listed import BATCH, CELL, JOBS, RESULTS, SETS, TABLE, WEIGHTS, finished, run, write

CLEAN = Found([], [], [], [])
AGAIN = ["uv", "run", "snakemake", "--cores", "all", "--configfile", "toy.yaml", "--directory"]


@pytest.fixture
def results(tmp_path):
    return finished(tmp_path)


def found(results):
    return look(results, read_manifest(results))


def advised(results):
    """The commands, in words, but for the last, which asks anew."""
    *commands, last = advice(results, read_manifest(results), found(results))
    assert shlex.split(last) == ["uv", "run", "python", "-m", "lighthouse.verify", str(results)]
    return [shlex.split(command) for command in commands]


def snakemake(results, *outputs):
    """Snakemake's command, to make outputs again."""
    return [
        *AGAIN,
        str(results.parent),
        *(["-R", *(f"results/{o}" for o in outputs)] * bool(outputs)),
    ]


def test_what_a_run_wrote_is_clean(results, capsys):
    assert found(results) == CLEAN
    assert main([str(results)]) == main([str(results.parent)]) == 0
    assert "5 files of the study 'toy'\nall are as a run wrote them" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "output"), [(TABLE, TABLE), (WEIGHTS, "priors/base")])
@pytest.mark.parametrize("same_size", [True, False])
def test_a_damaged_output_is_made_again_by_its_job(results, name, output, same_size):
    write(results, {name: RESULTS[name][::-1] if same_size else b""})
    assert found(results) == Found([name], [], [], [])
    assert advised(results) == [snakemake(results, output)]


@pytest.mark.parametrize("name", [SETS, CELL])
def test_a_damaged_file_of_a_cell_is_made_again_without_the_cells_record(results, name):
    write(results, {name: b"torn"})
    assert advised(results) == [["rm", "-f", str(results / CELL)], snakemake(results, BATCH)]


@pytest.mark.parametrize("name", RESULTS)
def test_a_file_that_is_not_there_is_missed(results, name):
    (results / name).unlink()
    assert found(results) == Found([], [name], [], [])
    entry = read_manifest(results).files[name]
    assert advised(results)[-1] == snakemake(results, entry.output)


def test_what_no_run_wrote_is_told_and_moved(results):
    write(results, {"samples/dit/x.png": b""})
    assert found(results) == Found([], [], ["samples/dit/x.png"], [])
    beside = f"{results}-moved"
    assert advised(results) == [
        ["mkdir", "-p", beside],
        ["mv", "-n", str(results / "samples/dit/x.png"), beside],
    ]


def test_a_folder_in_the_place_of_a_file_is_removed_as_one(results):
    for name in (CELL, TABLE):
        (results / name).unlink()
        (results / name).mkdir()
    assert found(results) == Found([], [CELL, TABLE], [], [])
    *removals, _ = advised(results)
    assert removals == [["rm", "-rf", str(results / name)] for name in (CELL, TABLE)]


def test_a_link_to_a_folder_is_told_and_moved_before_what_is_in_it_is_removed(results, tmp_path):
    (results / "samples").rename(tmp_path / "elsewhere")
    (results / "samples").symlink_to(tmp_path / "elsewhere")
    (results / "tables/more").symlink_to("/nowhere")
    assert found(results) == Found([], [SETS, CELL], ["samples", "tables/more"], [])
    beside = f"{results}-moved"
    assert advised(results)[:4] == [
        ["mkdir", "-p", beside],
        *(["mv", "-n", str(results / name), beside] for name in ("samples", "tables/more")),
        ["rm", "-f", str(results / CELL)],
    ]


@pytest.mark.parametrize(
    "name", [b"a\n\nWhat to do:\n    rm b", b"\xff\x1b[2K'\\", "\u202e.png".encode()]
)
def test_a_name_with_what_cannot_be_seen_is_shown_and_moved_in_one_line(results, name):
    (results / "tables" / os.fsdecode(name)).write_bytes(b"")
    lines = list(report(results, read_manifest(results), found(results)))
    assert all(line.strip().isprintable() for line in lines)
    assert lines[1] == "1 written by no run:" and lines[3] == "\nWhat to do:"
    subprocess.run(["bash", "-c", "\n".join(lines[4:6])], check=True)
    assert found(results) == CLEAN


def test_what_the_study_no_longer_makes_is_removed_where_it_is_damaged_and_then_not_missed(results):
    with run(results, JOBS[:2]):
        pass
    write(results, {SETS: b"torn"})
    assert advised(results) == [["rm", "-f", str(results / SETS)]]
    (results / SETS).unlink()
    assert found(results) == CLEAN


def test_what_a_run_that_was_killed_wrote_is_no_damage(results):
    begin(results)
    write(results, {TABLE: b"of the killed run", "tables/new.csv": b""})
    assert found(results) == Found([], [], [], [TABLE, "tables/new.csv"])
    assert advised(results) == [[*snakemake(results), "--force"]]


def test_several_are_told_in_one_command(results, capsys):
    write(results, {TABLE: b"", WEIGHTS: b"", SETS: b""})
    assert advised(results) == [
        ["rm", "-f", str(results / CELL)],
        snakemake(results, BATCH, "priors/base", TABLE),
    ]
    assert main([str(results)]) == 1
    told = capsys.readouterr().out
    assert f"3 other bytes than a run wrote:\n    {results / WEIGHTS}\n" in told


def test_a_study_in_its_own_folder_needs_no_directory(results):
    about = read_manifest(results).about
    (results / MANIFEST).write_text(
        (results / MANIFEST).read_text().replace("toy.yaml", "a b.yaml")
    )
    (results / TABLE).unlink()
    own = REPOSITORY / "runs" / about["study"] / "results"
    command, _ = advice(own, read_manifest(results), found(results))
    assert command == (f"uv run snakemake --cores all --configfile 'a b.yaml' -R results/{TABLE}")


def test_without_a_manifest_nothing_can_be_told(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "no run has ended there" in capsys.readouterr().err
