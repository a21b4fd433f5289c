"""Whether a prior on disk is the one that is asked for."""

import os

import pytest

from lighthouse.priors.trained import TIMESTAMP, is_trained
from lighthouse.runtime.files import write_json


@pytest.fixture
def folder(tmp_path):
    """A prior's cost, written at 10 s, and the folder that it read, of 5 s."""
    write_json(tmp_path / "cost.json", {"asked": "a"})
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / TIMESTAMP).touch()
    os.utime(tmp_path / "cost.json", (10, 10))
    os.utime(tmp_path / "base" / TIMESTAMP, (5, 5))
    return tmp_path


def found(folder, asked="a"):
    return is_trained(folder / "cost.json", asked, [folder / "base"])


def test_a_prior_is_there_as_long_as_the_same_is_asked_for_and_no_input_is_newer(folder):
    assert found(folder)
    assert not found(folder, "other")
    os.utime(folder / "base" / TIMESTAMP, (11, 11))
    assert not found(folder)


@pytest.mark.parametrize("name", ["cost.json", f"base/{TIMESTAMP}"])
def test_a_prior_of_which_something_is_missing_is_not_there(folder, name):
    (folder / name).unlink()
    assert not found(folder)
