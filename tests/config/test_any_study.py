"""Whatever stands in a study file, it is read, or each mistake is told in one short line."""

import copy
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighthouse.config import load
from lighthouse.config.reader import read_studies
from lighthouse.config.schema import LINE, SHOWN, ConfigError
from repository import ROOT
from shipped import DEFAULT

#: Deterministic, and as many examples as take a few seconds.
EXAMPLES = settings(
    max_examples=40,
    derandomize=True,
    deadline=3000,  # ms an example, on a busy machine
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORDS = st.one_of(st.text(max_size=20), st.sampled_from(["digits", "rsm", "1e3", "a" * 300]))
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=10**18),
        st.floats(),
        st.dates(),
        st.binary(max_size=5),
        WORDS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(WORDS, st.integers(), st.none()), inner, max_size=4),
    ),
    max_leaves=8,
)


def places(config, path=()):
    """The path of every value of a config."""
    children = config.items() if isinstance(config, dict) else enumerate(config)
    for key, value in children:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


PLACES = list(places(DEFAULT))


def told(problems):
    """Whether lines of mistakes are what they should be."""
    assert problems
    assert len(set(problems)) == len(problems)
    for line in problems:
        assert line.strip() and len(line.splitlines()) == 1 and len(line) <= LINE + 100, line
        assert "OrderedDict" not in line


def changed(changes):
    """The default with other values at some places; those below what has been replaced are left."""
    config = copy.deepcopy(DEFAULT)
    for (*parents, last), value in changes:
        place = config
        try:
            for key in parents:
                place = place[key]
            place[last] = value
        except (KeyError, IndexError, TypeError):
            continue
    return config


@EXAMPLES
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_whatever_stands_at_a_place_is_taken_or_told(changes):
    try:
        load.load_study(changed(changes), ROOT)
    except ConfigError as error:
        told(error.problems)


@EXAMPLES
@given(
    st.lists(
        st.one_of(
            st.text(max_size=30),
            st.sampled_from(["study: a\n", "run:\n", "  ipc: [1]\n", "- ", "{", "[", "? ", "'"]),
            st.sampled_from(["&a ", "*a", "<<: *a\n", "!!set ", "!x ", "---\n", "%YAML 1.1\n"]),
            st.sampled_from(["|\n", ">-\n", "=", "\t", ": ", "\n", "1:30", "010", "2026-01-01"]),
        ),
        max_size=12,
    )
)
def test_whatever_text_a_file_holds_is_taken_or_told(tmp_path, pieces):
    path = Path(tmp_path, "study.yaml")
    path.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
    try:
        read_studies([path])
    except ConfigError as error:
        told(error.problems)


@EXAMPLES
@given(st.binary(max_size=200))
def test_whatever_bytes_a_file_holds_are_taken_or_told(tmp_path, raw):
    path = Path(tmp_path, "study.yaml")
    path.write_bytes(raw)
    try:
        read_studies([path])
    except ConfigError as error:
        told(error.problems)


@pytest.mark.parametrize("loop", [[], {}], ids=["list", "mapping"])
def test_what_holds_itself_is_told(loop):
    if isinstance(loop, list):
        loop += [loop, loop]
    else:
        loop["a"] = loop
    with pytest.raises(ConfigError) as error:
        load.load_study({**DEFAULT, "priors": loop}, ROOT)
    told(error.value.problems)


def test_of_many_mistakes_the_first_are_told():
    with pytest.raises(ConfigError) as error:
        load.load_study(changed([(("run", "methods"), [f"x{n}" for n in range(1000)])]), ROOT)
    *lines, last = str(error.value).splitlines()
    assert len(lines) == SHOWN + 1 and re.fullmatch(r"  - and \d+ mistakes more", last)
