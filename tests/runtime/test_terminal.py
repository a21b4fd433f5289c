"""What a run says at the terminal: no line that nobody reads, and paths that open from there."""

import logging

import pytest

from lighthouse.runtime import terminal
from lighthouse.runtime.terminal import (
    LONGEST,
    JobLines,
    Readable,
    folder_from,
    openable,
    shortened,
    speak_readably,
)

NAMES = [f"results/batches/samples/digits/{i}.json" for i in range(100)]
LISTED = f"    input: {', '.join(NAMES)}"


def record(text, level=logging.INFO):
    return logging.LogRecord("x", level, "", 0, text, None, None)


def test_a_list_is_shown_in_part_and_what_is_left_out_is_counted():
    short = shortened(LISTED)
    assert len(short) < LONGEST + 20
    shown, _, more = short.partition(", … and ")
    assert LISTED.startswith(shown)
    assert shown.count("results/") + int(more.removesuffix(" more")) == 100


@pytest.mark.parametrize(
    "line", ["    input: a, b", f"An error in a line of words, {'words, ' * 100}", ""]
)
def test_what_is_short_or_no_list_stays_as_it_is(line):
    assert shortened(line) == line


def test_one_long_name_ends_in_a_sign_that_there_is_more():
    assert shortened(f"    output: {'x' * 1000}").endswith("x …")


@pytest.mark.parametrize(
    ("study", "folder"), [("runs/mine", "runs/mine"), (".", ""), ("../other", "/a/other")]
)
def test_the_study_is_named_as_the_terminal_knows_it(study, folder, tmp_path):
    typed_in = tmp_path / "here"
    typed_in.mkdir()
    found = folder_from(typed_in, (typed_in / study).resolve())
    assert found == folder.replace("/a", str(tmp_path))


def test_paths_of_results_lead_there_from_where_the_command_was_typed():
    text = "results/a: torn (results/b.csv, x/results/c, /y/results/d, results)"
    assert openable(text, "runs/mine") == (
        "runs/mine/results/a: torn (runs/mine/results/b.csv, x/results/c, /y/results/d, results)"
    )
    assert openable(text, "") == text


def test_errors_have_openable_paths_and_what_runs_keeps_the_names_of_targets():
    readable = Readable(logging.Formatter(), "runs/mine", {})
    error = record("log: results/logs/a.log", logging.ERROR)
    assert readable.format(error) == "log: runs/mine/results/logs/a.log"
    assert readable.format(record("    output: results/a.csv")) == "    output: results/a.csv"
    assert readable.format(record("")) == ""


def test_more_can_be_told_behind_a_message():
    readable = Readable(logging.Formatter(), "", {"Nothing to be done": lambda: "\nTake it."})
    assert readable.format(record("Nothing to be done")) == "Nothing to be done\n\nTake it."
    assert readable.format(record("Something")) == "Something"


def test_the_terminal_speaks_readably_and_the_file_says_all(tmp_path, monkeypatch):
    stream, file = logging.StreamHandler(), logging.FileHandler(tmp_path / "log", delay=True)
    logger = logging.Logger("x")
    for handler in (stream, file):
        handler.setFormatter(logging.Formatter())
        logger.addHandler(handler)
    environment = {}
    speak_readably(logger, environment, "runs/mine", {})
    assert stream.format(record(LISTED)) == shortened(LISTED)
    assert file.format(record(LISTED)) == LISTED
    assert environment == {terminal.VARIABLE: "runs/mine"}
    monkeypatch.setenv(terminal.VARIABLE, environment[terminal.VARIABLE])
    assert JobLines("%(message)s").format(record("results/a")) == "runs/mine/results/a"
