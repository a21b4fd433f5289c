"""The commands of Snakemake that documents and headers of studies tell are ones that it takes."""

import re
import shlex
from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

from repository import ROOT

PLACES = (
    *ROOT.glob("*.md"),
    *ROOT.glob("config/**/*.*"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("docs/**/*.yaml"),
    *ROOT.glob("profiles/*/*"),
)
#: A command in a block or a header, to the end of its line, or one in backticks.
COMMAND = re.compile(
    r"(?:^[# ]*(?:[^`\n]*?&& )?(?:uv run )?(snakemake --?\w[^`\n]*)$)"
    r"|`(?:uv run )?(snakemake --?\w[^`]*)`",
    flags=re.M,
)
#: Folders of the repository; what else a command names is its reader's own, or stands for it.
SHIPPED = {"config", "docs", "tests", "profiles"}


def commands():
    for path in PLACES:
        text = path.read_text("utf-8").replace("\\\n", " ")
        for match in COMMAND.finditer(text):
            yield path.relative_to(ROOT).as_posix(), " ".join((match[1] or match[2]).split())


COMMANDS = sorted(set(commands()))


def test_commands_are_found_in_documents_and_headers():
    assert len(COMMANDS) > 30
    assert {"README.md", "config/README.md", "config/rsm.yaml"} <= {place for place, _ in COMMANDS}


@pytest.mark.parametrize(("place", "command"), COMMANDS)
def test_a_command_is_taken_and_names_files_that_are_there(place, command):
    words = shlex.split(re.sub(r" \(.*\)$", "", command), comments=True)[1:]
    if words[-1] == "--configfile":  # of which the document says what follows
        words.append("…")
    given = get_argument_parser().parse_args(words)
    for path in given.configfile:
        # A target behind the files without `--` would be one of them.
        assert str(path) == "…" or path.suffix == ".yaml", f"{path} is no study file"
        assert path.parts[0] not in SHIPPED or (ROOT / path).is_file(), f"{path} is not there"
    for profile in given.profile or []:
        assert Path(ROOT, profile, "config.yaml").is_file()


def test_a_target_behind_study_files_is_taken_for_one_of_them():
    """Why the documents have ``--`` there; behind ``=`` is one file, and the rest are targets."""
    parse = get_argument_parser().parse_args
    assert parse(["--configfile", "my.yaml", "TARGET"]).targets == set()
    assert parse(["--configfile", "my.yaml", "--", "TARGET"]).targets == ["TARGET"]
    assert parse(["--configfile=my.yaml", "TARGET"]).targets == ["TARGET"]
