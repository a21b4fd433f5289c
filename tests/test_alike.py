"""Two runs are the same where nothing but the clock and the memory differs."""

import pytest

from lighthouse.alike import unlike
from listed import write

#: A study's files: a record, a table with what shows it, tensors.
FILES = {
    "costs/base.json": b'{"steps": 3, "seconds": 1.5, "sets": [{"peak_host_bytes": 7, "seed": 0}]}',
    "tables/cost.csv": b"method,seconds_per_image,gradients\ndit,0.5,\n",
    "tables/cost.html": b"<td>0.5</td>",
    "figures/cost.pdf": b"%PDF 0.5",
    "samples/images.safetensors": b"numbers",
    "tables/claims.csv": b"claim,measure,effect,p,p_holm,verdict\na,accuracy,2,0.01,0.02,holds\n"
    b"b,seconds,-0.1,0.02,0.02,holds\n",
    "tables/claims.md": b"a holds, b holds",
    "tables/verdict.md": b"- Change steps from 3 to 12 (about 1 minute more).",
}


@pytest.fixture
def runs(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name, FILES)
    return tmp_path / "one", tmp_path / "two"


def changed(runs, name, old, new):
    assert FILES[name].count(old) == 1
    write(runs[1], {name: FILES[name].replace(old, new)})


def test_a_run_is_the_same_as_its_copy(runs):
    assert unlike(*runs) == ([], [])


@pytest.mark.parametrize(
    ("by_clock", "name", "old", "new"),
    [
        (True, "costs/base.json", b"1.5", b"1.25"),
        (True, "costs/base.json", b"7", b"8"),
        (True, "tables/cost.csv", b"0.5", b"0.25"),
        (True, "tables/claims.csv", b"-0.1,0.02,0.02", b"-0.2,0.01,0.02"),
        (True, "tables/verdict.md", b"1 minute more", b"12 minutes more"),
        (False, "tables/verdict.md", b"12", b"24"),
        (False, "costs/base.json", b"3", b"4"),
        (False, "costs/base.json", b'"seed": 0', b'"seed": 1'),
        (False, "tables/cost.csv", b"dit", b"rsm"),
        (False, "tables/cost.csv", b",\n", b",1\n"),
        (False, "tables/cost.html", b"0.5", b"0.25"),
        (False, "samples/images.safetensors", b"numbers", b"numberz"),
        (False, "tables/claims.csv", b"a,accuracy,2", b"a,accuracy,3"),
        (False, "tables/claims.csv", b"0.01,", b"0.03,"),
    ],
)
def test_clock_and_memory_may_differ_and_nothing_else(runs, by_clock, name, old, new):
    changed(runs, name, old, new)
    assert unlike(*runs) == (([name], []) if by_clock else ([], [name]))


def test_what_shows_a_table_may_differ_where_the_table_does_by_the_clock_alone(runs):
    changed(runs, "tables/cost.html", b"0.5", b"0.25")
    changed(runs, "tables/cost.csv", b"0.5", b"0.25")
    changed(runs, "figures/cost.pdf", b"0.5", b"0.25")
    assert unlike(*runs) == (["tables/cost.csv", "tables/cost.html"], ["figures/cost.pdf"])
    changed(runs, "tables/cost.csv", b"dit,0.5", b"rsm,0.25")
    assert unlike(*runs) == ([], ["figures/cost.pdf", "tables/cost.csv", "tables/cost.html"])


def test_a_claim_about_the_clock_changes_what_is_corrected_together_with_it(runs):
    changed(runs, "tables/claims.csv", b"0.01,0.02,holds", b"0.01,0.06,undecided")
    changed(runs, "tables/claims.md", b"a holds", b"a undecided")
    assert unlike(*runs) == (["tables/claims.csv", "tables/claims.md"], [])
    for run in runs:  # in a study without such a claim it is not so
        text = (run / "tables/claims.csv").read_bytes()
        write(run, {"tables/claims.csv": text.replace(b"b,seconds", b"b,gradients")})
    assert unlike(*runs) == ([], ["tables/claims.csv", "tables/claims.md"])


def test_what_is_in_one_alone_is_told(runs):
    write(runs[1], {"tables/new.csv": b""})
    (runs[1] / "costs/base.json").unlink()
    assert unlike(*runs) == ([], ["costs/base.json", "tables/new.csv"])
