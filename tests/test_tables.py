"""The method table and the hyperparameter table: each mistake is named with its line."""

import pytest

from lighthouse.config import load_study
from shipped import BASE, SHIPPED, changed, one_problem, problems, table

METHOD_ROWS = {
    "unknown prior": (
        "x\t\tbas\tiid\t\tX",
        ["x: prior 'bas' is not known; allowed: base, control, rsm"],
    ),
    "unknown coupling": (
        "x\t\tbase\tpairs\tdpp\tX",
        ["line 9: coupling: 'pairs' is not known; allowed: iid, sequential, joint"],
    ),
    "unknown guidance term": (
        "x\t\tbase\tjoint\tdpp+mode\tX",
        ["x: guidance term 'mode' is not known; allowed: dpp, mean"],
    ),
    "a term twice": ("x\t\tbase\tjoint\tdpp+dpp\tX", ["x: a guidance term is named twice"]),
    "unknown coreset": ("x\therding\t\t\t\tX", ["line 9: coreset: 'herding'", "allowed: random"]),
    "coreset and prior": ("x\trandom\tbase\tiid\t\tX", ["line 9: a row is either a coreset"]),
    "neither": ("x\t\t\t\t\tX", ["line 9: a row is either a coreset, or a prior"]),
    "prior without coupling": ("x\t\tbase\t\t\tX", ["line 9", "'coupling' is missing"]),
    "iid with dpp": (
        "x\t\tbase\tiid\tdpp\tX",
        ["x: coupling 'iid' with guidance 'dpp'", "allowed: sequential or joint"],
    ),
    "joint without guidance": (
        "x\t\tbase\tjoint\t\tX",
        ["x: coupling 'joint' without guidance", "'iid'"],
    ),
    "two rows of one name": ("dit\t\tbase\tiid\t\tX", ["methods.tsv: dit has two rows"]),
    "a name unfit for a path": ("X/Y\t\tbase\tiid\t\tX", ["line 9: method: 'X/Y'"]),
    "no label": ("x\t\tbase\tiid\t\t", ["line 9: 'label' is missing"]),
    "a field too many": ("x\t\tbase\tiid\t\tX\tY", ["line 9: more fields than columns"]),
}


@pytest.mark.parametrize(("row", "words"), METHOD_ROWS.values(), ids=list(METHOD_ROWS))
def test_a_wrong_row_of_the_method_table_is_named(tmp_path, row, words):
    config = table(tmp_path, "methods", lambda lines: [*lines, row])
    one_problem(config, str(tmp_path / "methods.tsv"), *words)


HYPERPARAMETER_ROWS = {
    "negative weight": (
        "digits\t10\t0.005\t0.001\t-1\t1000",
        ["line 4: eta_dpp: -1", "minimum of 0"],
    ),
    "a word for a number": (
        "digits\t10\tfive\t0.001\t100\t1000",
        ["line 4: lambda: 'five' is not of type number"],
    ),
    "a weight that is not a number": (
        "digits\t10\t0.005\t0.001\tnan\t1000",
        ["line 4: eta_dpp", "nan"],
    ),
    "an infinite rate": ("digits\t10\t0.005\tinf\t100\t1000", ["line 4: learning_rate", "inf"]),
    "a fraction for an IPC": ("digits\t10.5\t0.005\t0.001\t100\t1000", ["line 4: ipc: '10.5'"]),
    "an empty field": ("digits\t10\t\t0.001\t100\t1000", ["line 4: 'lambda' is missing"]),
    "a mean weight that overshoots": (
        "digits\t10\t0.005\t0.001\t100\t20481",
        ["digits, IPC 10: mu_dm 20481 overshoots", "allowed: at most 20480"],
    ),
}


@pytest.mark.parametrize(
    ("row", "words"), HYPERPARAMETER_ROWS.values(), ids=list(HYPERPARAMETER_ROWS)
)
def test_a_wrong_row_of_the_hyperparameter_table_is_named(tmp_path, row, words):
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines[:3], row])
    one_problem(config, str(tmp_path / "hyperparameters.tsv"), *words)


def test_two_rows_for_one_ipc_are_refused(tmp_path):
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines, lines[-1]])
    one_problem(config, "hyperparameters.tsv: digits 10 has two rows")


def test_the_largest_mean_weight_that_does_not_overshoot_is_allowed(tmp_path):
    row = "digits\t10\t0.005\t0.001\t100\t20480"
    load_study(table(tmp_path, "hyperparameters", lambda lines: [*lines[:3], row]), BASE)


def test_a_table_that_does_not_exist_is_named():
    one_problem(changed("tables.methods", "no/such.tsv"), "no/such.tsv", "cannot be read")


def test_a_column_of_another_name_is_named_with_those_allowed(tmp_path):
    def rename(lines):
        return [line.replace("eta_dpp", "eta") for line in lines[:2]]

    lines = problems(table(tmp_path, "hyperparameters", rename))
    (line,) = lines
    assert "line 1: no column eta_dpp" in line
    assert "wanted: dataset, ipc" in line


def test_an_empty_line_does_not_shift_the_line_numbers(tmp_path):
    config = table(tmp_path, "methods", lambda lines: [*lines, "", "x\t\tbase\tpairs\tdpp\tX"])
    one_problem(config, "line 10: coupling")


def test_a_table_may_lie_anywhere(tmp_path, monkeypatch):
    table(tmp_path, "methods", lambda lines: lines)
    monkeypatch.chdir(tmp_path)
    study = load_study(changed("tables.methods", "methods.tsv"), BASE)
    assert list(study.methods) == SHIPPED["run"]["methods"]
