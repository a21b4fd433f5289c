"""The worked example of CONTRIBUTING runs as it stands there."""

import re
import sys
from types import ModuleType

import numpy as np
import pytest

from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from lighthouse.parts import selections, terms
from lighthouse.runtime.named import load
from lighthouse.selection.pool import Pool
from repository import ROOT
from shipped import table

BLOCKS = re.findall(
    r"^```(?:python)?\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), flags=re.M | re.S
)


def block(word):
    """The block of the worked example with a word."""
    (found,) = [text for text in BLOCKS if word in text]
    return found


@pytest.fixture
def nearest(monkeypatch):
    """The example's module, where a reader would put it."""
    module = ModuleType("lighthouse.guidance.nearest")
    exec(block("def nearest_loss"), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_the_example_passes_its_own_tests(nearest):
    written = {}
    exec(block("def test_each_image"), written)
    tests = [test for name, test in written.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


def test_the_examples_declaration_is_of_the_examples_function(nearest):
    term = eval(block("nu_nearest"), vars(terms))
    assert load(term.make) is nearest.nearest
    assert term.name not in terms.TERMS


def test_the_examples_selection_is_a_selection(monkeypatch, tmp_path):
    module = ModuleType("lighthouse.selection.central")
    exec(block("def central"), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    declared = eval(block('"central",'), vars(selections))
    monkeypatch.setitem(selections.SELECTIONS, declared.name, declared)
    row = "x\t\tbase\tiid\t\tX\t\t\tcentral"
    config = table(tmp_path, "methods", lambda lines: [*lines, row])
    study = load_study({**config, "selections": {"central": {"factor": 6}}}, ROOT)
    assert study.selection(Cell("digits", "x", 5))["times"] == 6
    features = np.array([[[9.0], [2.0], [1.0], [4.0]]])
    pool = Pool("toy", ["ant"], 2, features, real=[np.array([[1.0], [4.0]])])
    assert load(declared.choose)(pool, {}).tolist() == [[1, 2]]  # apart from 2.5: 6.5, .5, 1.5, 1.5


def test_the_examples_row_of_existing_parts_is_a_method(tmp_path):
    row = block("rsm-deviation").strip()
    study = load_study(table(tmp_path, "methods", lambda lines: [*lines, row]), ROOT)
    method = study.methods["rsm-deviation"]
    assert (method.prior, method.coupling) == ("rsm", "sequential")
    assert method.guidance == ("deviation", "mean")
