"""The cells of a job: done once, recorded one by one, and none stopped by another's failure."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from lighthouse.runtime.cells import (
    checkpoint_of,
    content_digest,
    forget_failures,
    lost_cells,
    made_from,
    recorded,
    run_cells,
)
from lighthouse.runtime.errors import DataError, StorageError
from lighthouse.runtime.files import read_json, write_json
from lighthouse.runtime.job import Job


@pytest.fixture
def job(tmp_path):
    output = SimpleNamespace(record=str(tmp_path / "batch.json"))
    return Job(SimpleNamespace(), output, SimpleNamespace(), SimpleNamespace(), 1)


def cell(tmp_path, name, stamp="s", **more):
    return {"record": str(tmp_path / f"{name}.json"), "stamp": stamp, **more}


def run(job, cells, basis="b", fails=()):
    """Run a job's cells; names of the records of those that were worked on."""
    worked = []

    def work(cell):
        worked.append(cell["record"].rsplit("/", 1)[1])
        if worked[-1] in fails:
            raise DataError("broken")
        return {"answer": 42}

    job.params.code = basis
    run_cells(job, cells, work)
    return worked


def test_every_cell_has_a_record_with_its_stamp_and_the_job_one_of_all(job, tmp_path):
    cells = [cell(tmp_path, "a", "s"), cell(tmp_path, "b", "t")]
    assert run(job, cells) == ["a.json", "b.json"]
    one, other = (read_json(c["record"]) for c in cells)
    assert (one["answer"], one["stamp"], other["stamp"]) == (42, "s", "t")
    made = {c["record"]: r["made"] for c, r in zip(cells, (one, other), strict=True)}
    assert read_json(job.output.record) == {"made": made, "failed": {}, "left": {}}


def test_what_is_done_is_not_done_again_and_a_new_cell_alone_is(job, tmp_path):
    cells = [cell(tmp_path, "a")]
    run(job, cells)
    before = (tmp_path / "batch.json").read_bytes()
    assert run(job, cells) == []
    assert (tmp_path / "batch.json").read_bytes() == before
    assert run(job, [cell(tmp_path, "new"), *cells]) == ["new.json"]


def test_a_change_of_a_stamp_is_of_its_own_cell_and_one_of_the_basis_of_all(job, tmp_path):
    cells = [cell(tmp_path, "a"), cell(tmp_path, "b")]
    run(job, cells)
    assert run(job, [cells[0], {**cells[1], "stamp": "other"}]) == ["b.json"]
    assert run(job, [cells[0], {**cells[1], "stamp": "other"}], "other") == ["a.json", "b.json"]


def test_a_cell_is_made_anew_where_its_source_is(job, tmp_path):
    source = tmp_path / "source.json"
    write_json(source, {"made": "1"})
    cells = [cell(tmp_path, "a", sources=[str(source)]), cell(tmp_path, "b")]
    run(job, cells)
    assert run(job, cells) == []
    write_json(source, {"made": "2"})
    assert run(job, cells) == ["a.json"]


def test_a_failure_stops_no_other_cell_and_leaves_no_record(job, tmp_path, caplog):
    cells = [cell(tmp_path, name) for name in "abc"]
    run(job, cells)
    with caplog.at_level(logging.INFO, "lighthouse"):
        assert run(job, cells, "other", fails=["b.json"]) == ["a.json", "b.json", "c.json"]
    record = read_json(job.output.record)
    assert list(record["made"]) == [cells[0]["record"], cells[2]["record"]]
    assert record["failed"] == {cells[1]["record"]: "DataError: broken"}
    # The one that was there, made from something else, is not taken for the new one.
    assert recorded(cells[1]["record"]) is None
    assert "b.json: broken" in caplog.text
    assert "3 cells: 2 done, 1 failed" in caplog.text


def test_a_cell_without_its_source_fails_and_is_not_worked_on(job, tmp_path):
    cells = [cell(tmp_path, "a", sources=[str(tmp_path / "absent.json")]), cell(tmp_path, "b")]
    assert run(job, cells) == ["b.json"]
    record = read_json(job.output.record)
    assert (record["failed"], list(record["left"])) == ({}, [cells[0]["record"]])


def test_a_killed_job_goes_on_where_it_was(job, tmp_path):
    cells = [cell(tmp_path, name) for name in "abc"]

    def killed(cell):
        if cell["record"] == cells[1]["record"]:
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        job.params.code = "b"
        run_cells(job, cells, killed)
    assert not (tmp_path / "batch.json").exists()
    assert run(job, cells) == ["b.json", "c.json"]


def test_a_checkpoint_goes_with_its_cell_also_behind_a_kill_between_the_two(job, tmp_path):
    cells = [cell(tmp_path, "a")]
    run(job, cells)
    checkpoint_of(cells[0]["record"]).touch()
    assert run(job, cells) == []
    assert not checkpoint_of(cells[0]["record"]).exists()


def test_a_digest_of_contents_is_of_bytes_and_names_and_not_of_times(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "x").write_text("1")
    first = content_digest([folder])
    (folder / "x").write_text("1")
    assert content_digest([folder]) == first
    (folder / "x").rename(folder / "y")
    renamed = content_digest([folder])
    (folder / "y").write_text("2")
    assert len({first, renamed, content_digest([folder])}) == 3
    assert content_digest([folder / "y"]) != content_digest([tmp_path / "folder"])


def test_a_digest_of_several_is_not_that_of_their_letters():
    assert made_from("ab", "c") != made_from("a", "bc")


def test_jobs_with_failed_cells_are_told_and_run_again(job, tmp_path):
    run(job, [cell(tmp_path, "a"), cell(tmp_path, "b")], fails=["b.json"])
    other = Job(
        job.input, SimpleNamespace(record=str(tmp_path / "other.json")), job.params, None, 1
    )
    run(other, [cell(tmp_path, "c", sources=[str(tmp_path / "b.json")])])
    whole = Job(
        job.input, SimpleNamespace(record=str(tmp_path / "whole.json")), job.params, None, 1
    )
    run(whole, [cell(tmp_path, "d")])
    failed, left = forget_failures(tmp_path)
    lacking = {str(tmp_path / "c.json"): str(tmp_path / "b.json")}
    assert (failed, left) == ({str(tmp_path / "b.json"): "DataError: broken"}, lacking)
    names = ("batch", "other", "whole", "a")
    assert [(tmp_path / f"{n}.json").exists() for n in names] == [False, False, True, True]
    assert forget_failures(tmp_path) == ({}, {})


def test_a_cell_of_which_a_file_was_removed_is_lost_and_made_again(job, tmp_path):
    images = tmp_path / "a.images"
    cells = [cell(tmp_path, "a", files=[str(images)]), cell(tmp_path, "b")]
    assert lost_cells(job.output.record, cells) == []  # nothing was made yet
    images.touch()
    run(job, cells)
    assert lost_cells(job.output.record, cells) == []
    images.unlink()
    assert lost_cells(job.output.record, cells) == [cells[0]["record"]]
    assert run(job, cells) == ["a.json"]
    (tmp_path / "b.json").unlink()
    images.touch()
    assert lost_cells(job.output.record, cells) == [cells[1]["record"]]


def test_a_cell_that_was_gathered_is_made_again_where_what_it_was_gathered_into_is_lost(
    job, tmp_path
):
    part, record, images = (tmp_path / name for name in ("part", "all.json", "all.images"))
    cells = [cell(tmp_path, "a", files=[str(part)], gathered=[str(record), str(images)])]
    part.touch()
    assert run(job, cells) == ["a.json"]
    part.unlink()
    images.touch()
    for stamp, expected in (("s", []), ("older", ["a.json"])):
        write_json(record, {"stamp": stamp})
        assert run(job, cells) == expected
    write_json(record, {"stamp": "s"})
    images.unlink()
    assert run(job, cells) == ["a.json"]
    images.touch()
    record.write_text("{")
    assert run(job, cells) == ["a.json"]


def test_a_change_of_what_all_cells_are_made_from_makes_them_all_again(job, tmp_path):
    cells, read = [cell(tmp_path, "a"), cell(tmp_path, "b")], tmp_path / "read"
    worked = []
    for text in ("1", "1", "2"):
        read.write_text(text)
        run_cells(job, cells, lambda c: worked.append(c["record"]) or {}, [read])
    assert worked == 2 * [c["record"] for c in cells]


@pytest.mark.parametrize("left", ["", '{"made": "x', "[]", "\x00" * 50])
def test_a_torn_record_counts_as_not_made_and_is_logged(job, tmp_path, caplog, left):
    cells = [cell(tmp_path, "a"), cell(tmp_path, "b")]
    run(job, cells)
    (tmp_path / "a.json").write_text(left)
    assert recorded(tmp_path / "a.json") is None
    assert f"{tmp_path / 'a.json'} cannot be read" in caplog.text
    assert lost_cells(job.output.record, cells) == [cells[0]["record"]]
    assert run(job, cells) == ["a.json"]
    assert lost_cells(job.output.record, cells) == []


@pytest.mark.parametrize(
    "left", ['{"made": 5}', '{"made": {}, "failed": {"a": "x"}}', '{"failed": "x", "left": {}}']
)
def test_a_record_of_a_job_that_is_none_makes_it_run_again(job, tmp_path, left):
    cells = [cell(tmp_path, "a")]
    run(job, cells)
    Path(job.output.record).write_text(left)
    assert forget_failures(tmp_path) == ({}, {})
    assert lost_cells(job.output.record, cells) == [job.output.record]


def test_a_torn_record_of_a_job_makes_it_run_again_and_keeps_its_cells(job, tmp_path):
    cells = [cell(tmp_path, "a")]
    run(job, cells)
    (tmp_path / "batch.json").write_text("{")
    assert lost_cells(job.output.record, cells) == [job.output.record]
    assert forget_failures(tmp_path) == ({}, {})
    assert run(job, cells) == []
    assert lost_cells(job.output.record, cells) == []


def test_of_a_torn_source_nothing_is_made(job, tmp_path):
    (tmp_path / "source.json").write_text('{"made"')
    cells = [cell(tmp_path, "a", sources=[str(tmp_path / "source.json")])]
    assert run(job, cells) == []
    assert list(read_json(job.output.record)["left"]) == [cells[0]["record"]]


def test_a_full_disk_stops_the_job_at_once(job, tmp_path):
    worked = []

    def work(cell):
        worked.append(cell)
        raise StorageError("the disk is full")

    with pytest.raises(StorageError):
        run_cells(job, [cell(tmp_path, "a"), cell(tmp_path, "b")], work)
    assert len(worked) == 1
    assert not (tmp_path / "batch.json").exists()
