"""The manifest has what runs wrote, as they wrote it, and nothing that others did."""

import hashlib
import os

import pytest

from lighthouse.config.paths import MANIFEST, UNLISTED
from lighthouse.manifest import Entry, begin, find_results, makers_of, read_manifest
from lighthouse.runtime.errors import DataError
from listed import (
    ABOUT,
    BATCH,
    CELL,
    JOBS,
    RESULTS,
    SETS,
    TABLE,
    WEIGHTS,
    finished,
    job,
    run,
    write,
)


@pytest.fixture
def results(tmp_path):
    return finished(tmp_path)


def sha(folder, name):
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


def listed(folder):
    return read_manifest(folder).files


def test_every_result_has_its_digest_its_size_and_what_makes_it(results):
    assert listed(results) == {
        TABLE: Entry(sha(results, TABLE), 8, TABLE),
        WEIGHTS: Entry(sha(results, WEIGHTS), 7, "priors/base"),
        SETS: Entry(sha(results, SETS), 4, BATCH, CELL),
        CELL: Entry(sha(results, CELL), 2, BATCH, CELL),
        BATCH: Entry(sha(results, BATCH), 2, BATCH),
    }
    assert read_manifest(results).about == ABOUT
    assert not (results / UNLISTED).exists()


def test_logs_hidden_files_checkpoints_and_the_list_itself_are_no_results(results):
    others = ["logs/a.log", "benchmarks/a.tsv", "README.md", ".hidden", "tables/.cost.csv.1.part"]
    write(results, dict.fromkeys([*others, "priors/base.checkpoint", "a.unreadable", ".x/y"], b""))
    found = ["tables/logs/a.csv", "tables/a.checkpoint.png"]
    write(results, dict.fromkeys(found, b""))
    assert find_results(results).keys() == {*RESULTS, *found}


def test_a_run_that_writes_nothing_changes_nothing(results):
    before = (results / MANIFEST).read_bytes()
    with run(results) as told:
        pass
    assert (results / MANIFEST).read_bytes() == before
    assert told == [""]


def test_what_a_run_writes_anew_is_entered_anew(results):
    with run(results) as told:
        write(results, {TABLE: b"other"})
    assert listed(results)[TABLE].sha256 == sha(results, TABLE)
    assert told == [""]


def test_what_was_changed_while_no_run_went_on_keeps_its_entry_and_is_told(results):
    before = listed(results)
    write(results, {TABLE: b"a,b\n1,3\n", WEIGHTS: b"w"})
    with run(results) as told:
        pass
    assert listed(results) == before
    assert told[0].startswith(f"{results / WEIGHTS} and 1 more: changed since a run wrote it; `uv ")
    # It is told once: the manifest is younger now, and it is verify that reads all.
    with run(results) as told:
        pass
    assert (listed(results), told) == (before, [""])


def test_a_time_that_is_set_back_hides_nothing(results):
    times = (results / TABLE).stat()
    write(results, {TABLE: b"a,b\n1,3\n"})
    os.utime(results / TABLE, ns=(times.st_atime_ns, times.st_mtime_ns))
    write(results, {})  # which takes a moment
    with run(results) as told:
        pass
    assert TABLE in told[0]


def test_the_same_bytes_written_again_are_no_change(results):
    write(results, {TABLE: RESULTS[TABLE]})
    with run(results) as told:
        pass
    assert told == [""]


def test_what_a_killed_run_wrote_is_entered_by_the_next(results):
    begin(results)
    write(results, {TABLE: b"of the killed run"})
    with run(results) as told:
        write(results, {WEIGHTS: b"of the next"})
    assert told == [""]
    assert [listed(results)[n].sha256 for n in (TABLE, WEIGHTS)] == [
        sha(results, TABLE),
        sha(results, WEIGHTS),
    ]


def test_a_file_that_no_run_wrote_is_not_entered(results):
    write(results, {"tables/mine.csv": b"mine"})
    with run(results):
        write(results, {"tables/new.csv": b"new"})
    assert listed(results).keys() == {*RESULTS, "tables/new.csv"}


def test_a_mark_that_is_a_link_or_a_folder_is_replaced(results, tmp_path):
    (results / UNLISTED).symlink_to(tmp_path / "elsewhere")
    begin(results)
    assert (results / UNLISTED).is_file() and not (tmp_path / "elsewhere").exists()
    (results / UNLISTED).unlink()
    (results / UNLISTED).mkdir()
    with run(results):
        write(results, {"tables/new.csv": b"new"})
    assert "tables/new.csv" in listed(results) and not (results / UNLISTED).exists()


def test_of_two_runs_at_once_each_enters_what_it_wrote(results):
    with run(results, JOBS[:1], whole=False):
        write(results, {TABLE: b"first"})
        with run(results, JOBS[1:], whole=False):
            write(results, {WEIGHTS: b"second"})
        write(results, {"tables/new.csv": b"first"})
    assert listed(results)[WEIGHTS] == Entry(sha(results, WEIGHTS), 6, "priors/base")
    assert listed(results)[TABLE] == Entry(sha(results, TABLE), 5, TABLE)
    assert "tables/new.csv" in listed(results)


def test_a_file_whose_name_is_no_text_is_not_entered(results):
    with run(results):
        (results / os.fsdecode(b"\xff.csv")).write_bytes(b"")
    assert listed(results).keys() == RESULTS.keys()


def test_without_a_manifest_all_that_is_there_is_entered(results):
    (results / MANIFEST).unlink()
    with run(results):
        pass
    assert listed(results).keys() == RESULTS.keys()


def test_a_removed_file_that_the_study_makes_stays_entered(results):
    (results / SETS).unlink()
    with run(results):
        pass
    assert listed(results)[SETS].output == BATCH


def test_a_removed_file_that_the_study_no_longer_makes_goes_with_a_whole_run(results):
    (results / SETS).unlink()
    with run(results, JOBS[:2], whole=False):
        pass
    assert listed(results)[SETS] == Entry(hashlib.sha256(b"sets").hexdigest(), 4, BATCH, CELL)
    with run(results, JOBS[:2]):
        pass
    assert SETS not in listed(results)
    # One that is there stays, though nothing makes it.
    assert listed(results)[CELL].output is None


def test_what_goes_with_its_last_reader_is_made_by_nobody():
    shard = job(
        "results/batches/shards/0/dit.json", temporary=["results/batches/shards/0/dit.json"]
    )
    assert makers_of([shard]) == {}


def test_outputs_beyond_the_results_are_none_of_them():
    assert makers_of([job("/data/downloads/cifar10.json", "downloads/x.json")]) == {}


def test_a_torn_manifest_stops_no_second_writer_from_saying_so(results):
    text = (results / MANIFEST).read_text()
    (results / MANIFEST).write_text(text[: len(text) // 2])
    with pytest.raises(DataError, match="no list of results; remove it"), run(results):
        pass
    assert (results / UNLISTED).exists()  # so what it wrote is the next run's
