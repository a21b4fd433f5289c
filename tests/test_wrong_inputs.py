"""Every wrong input of ``tests/wrong_inputs`` gets its message, word by word."""

import pytest

from repository import ROOT
from wrong import lines, rows, told
from wrong_page import page

ROWS = list(rows())


@pytest.mark.parametrize(
    ("kind", "entry"), ROWS, ids=[f"{kind}: {entry['input']}" for kind, entry in ROWS]
)
def test_a_wrong_input_is_told(kind, entry, tmp_path):
    assert told(kind, entry, tmp_path) == lines(entry["says"])


def test_each_is_another_one():
    names = [(kind, entry["input"]) for kind, entry in ROWS]
    assert len(set(names)) == len(names)


def test_the_page_has_them_all():
    assert (ROOT / "docs" / "wrong-inputs.md").read_text(encoding="utf-8") == page()
