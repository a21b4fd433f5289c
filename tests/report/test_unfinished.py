"""A failed method stops its own rows: the tables are made all the same, and say what is missing."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lighthouse.report.item import Item
from lighthouse.report.records import load
from lighthouse.report.tables import Table
from lighthouse.report.unfinished import make_all, message
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import write_arrays, write_json
from lighthouse.tables import read_rows, write_rows
from running import bare_run, snakemake


def counted(parts, words):
    """A maker: how many rows each part has."""
    rows = [
        {"words": w, "n": -1 if p is None else len(p)} for w, p in zip(words, parts, strict=True)
    ]
    return {"table": Table(rows)}


def shown(table):
    """A maker that refuses a table in which something is missing."""
    if any(row["n"] < 0 for row in table):
        raise DataError("no figure of what is missing")
    return {"data": Table(table)}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A table of two files, and what shows it."""
    monkeypatch.chdir(tmp_path)
    table = Item(
        "tables/x",
        f"{__name__}:counted",
        {"parts": ["one.csv", "two.csv"]},
        {"table": ["x.csv", "x.html"]},
        {"words": ["one", "two"]},
    )
    figure = Item("figures/x", f"{__name__}:shown", {"table": "x.csv"}, {"data": ["y.csv"]}, {})
    return table, figure


def there(*names):
    for name in names:
        write_rows(name, [{"a": 1}, {"a": 2}])


def test_an_item_is_made_behind_what_it_reads_whatever_the_order(study):
    there("one.csv", "two.csv")
    made, left = make_all(study[::-1])
    assert (made, left) == (["x.csv", "x.html", "y.csv"], [])
    assert [row["n"] for row in read_rows("y.csv")] == [2, 2]


def test_of_several_files_those_that_are_there_are_shown_and_others_are_missing(study):
    there("two.csv")
    make_all(study)
    assert read_rows("x.csv") == [{"words": "one", "n": -1}, {"words": "two", "n": 2}]


def test_an_item_that_cannot_be_made_is_told_with_its_reason_and_stops_no_other(study):
    there("two.csv")
    made, left = make_all(study[::-1])
    assert made == ["x.csv", "x.html"]
    assert left == ["figures/x: no figure of what is missing"]


def test_a_maker_that_stumbles_is_told_with_the_kind_of_its_error(study):
    there("one.csv")
    assert make_all([replace(study[0], params={"words": []})])[1] == [
        "tables/x: ValueError: zip() argument 2 is longer than argument 1"
    ]


def test_an_item_of_which_nothing_is_there_is_not_made(study):
    made, left = make_all(study)
    assert made == []
    assert left == [
        "tables/x: none of 2 files is there, one.csv the first of them",
        "figures/x: x.csv is not there",
    ]


def test_a_file_that_was_computed_with_other_parameters_is_not_there(tmp_path):
    write_json(tmp_path / "record.json", {"stamp": "a", "runs": [1]})
    write_arrays(tmp_path / "set.safetensors", {"x": np.zeros(1)}, {"stamp": "a"})
    write_json(tmp_path / "bare.json", {"runs": [1]})
    for name in ("record.json", "set.safetensors"):
        path = str(tmp_path / name)
        assert load(path) is not None
        assert load(path, "a") is not None
        assert load(path, "b") is None
    assert load(str(tmp_path / "bare.json"), "a") is None


def test_an_items_stamps_are_asked_of_its_files(study):
    write_json("one.json", {"stamp": "a"})
    write_json("two.json", {"stamp": "old"})
    inputs = {"parts": ["one.json", "two.json"]}
    item = replace(study[0], inputs=inputs, stamps={"one.json": "a", "two.json": "new"})
    make_all([item])
    assert [row["n"] for row in read_rows("x.csv")] == [1, -1]


def test_the_message_says_how_much_was_made_and_names_what_was_not():
    assert message(["a.csv", "b.csv"], []) == (
        "2 files of tables and figures were made, in results/tables and results/figures; "
        "rows that are not say 'missing'."
    )
    assert "out of date where they exist:\n  tables/x: gone" in message([], ["tables/x: gone"])


# The same through Snakemake.

STUDY = f"""
{bare_run(ipc=[1])}external:
  theirs: {{dataset: digits, root: ROOT, ipc: 1, label: Theirs}}
"""


def tables(folder):
    return snakemake(
        *("--cores", 2, "--keep-going", "--quiet", "all", "--directory", folder),
        *("--configfile", "tests/configs/tiny.yaml", folder / "study.yaml", "--", "tables"),
    )


def board(folder):
    """Status and accuracy by method."""
    with (folder / "results/tables/leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return {row["method"]: (row["status"], row["top1_mean"]) for row in csv.DictReader(file)}


@pytest.fixture
def folder(tmp_path):
    """A folder for a study with a set made elsewhere, and an image of that set."""
    root = tmp_path / "theirs"
    for digit in range(10):
        (root / str(digit)).mkdir(parents=True)
        Image.new("RGB", (32, 32), (25 * digit, 0, 0)).save(root / str(digit) / "a.png")
    (tmp_path / "study.yaml").write_text(STUDY.replace("ROOT", str(root)), encoding="utf-8")
    return tmp_path, root / "3" / "a.png"


def break_off(image):
    """Leave the first bytes of an image; what it was is returned."""
    whole = image.read_bytes()
    image.write_bytes(whole[:40])
    return whole


def told(output):
    """The methods of the cells of which a run said that they failed."""
    behind = output.split("\nFailed:\n", 1)[1]
    return re.findall(r"^  - \S*results/samples/[^/]+/([^/]+)/", behind, flags=re.M)


def lost(results):
    """Of which tables a row of theirs says that it is missing."""
    return [
        name
        for name in ("accuracy", "diversity", "fid", "leaderboard")
        if any(
            ",theirs," in line and "missing" in line
            for line in (results / f"tables/{name}.csv").read_text("utf-8").splitlines()
        )
    ]


@pytest.mark.workflow
def test_a_set_that_cannot_be_read_stops_its_own_row_until_it_can(folder):
    folder, image = folder
    whole = break_off(image)
    done = tables(folder)
    assert done.returncode != 0
    assert told(done.stdout) == ["theirs"]
    first = board(folder)
    assert first["theirs"] == ("missing", "")
    assert first["random"][0] == "measured"
    assert lost(folder / "results") == ["accuracy", "diversity", "fid", "leaderboard"]
    page = (folder / "results/tables/leaderboard.html").read_text(encoding="utf-8")
    assert "missing" in page

    image.write_bytes(whole)
    done = tables(folder)
    assert done.returncode == 0, done.stdout
    second = board(folder)
    assert second["theirs"][0] == "measured"
    assert second["random"] == first["random"]
    assert lost(folder / "results") == []


@pytest.mark.workflow
def test_no_old_figure_stays_of_a_set_that_cannot_be_read_any_more(folder):
    folder, image = folder
    done = tables(folder)
    assert done.returncode == 0, done.stdout
    first = board(folder)
    assert [first[name][0] for name in ("random", "theirs")] == ["measured", "measured"]

    whole = break_off(image)
    done = tables(folder)
    assert done.returncode != 0
    assert told(done.stdout) == ["theirs"]
    second = board(folder)
    assert second["theirs"] == ("missing", "")
    assert second["random"] == first["random"]
    assert lost(folder / "results") == ["accuracy", "diversity", "fid", "leaderboard"]

    image.write_bytes(whole)
    done = tables(folder)
    assert done.returncode == 0, done.stdout
    assert board(folder) == first
