"""The method table and the hyperparameter table: each mistake is named with its line."""

import pytest

from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import (
    SHIPPED,
    changed,
    hyperparameters,
    one_problem,
    problems,
    shipped_lines,
    table,
    without,
)

#: The line behind the last of the shipped method table.
NEXT = len(shipped_lines("methods")) + 1

METHOD_ROWS = {
    "unknown prior": (
        "x\t\tbas\tiid\t\tX",
        ["x: prior 'bas' is not known; allowed: base, control, rsm, minimax"],
    ),
    "unknown coupling": (
        "x\t\tbase\tpairs\tdpp\tX",
        [f"line {NEXT}: coupling: 'pairs' is not known; allowed: iid, sequential, joint"],
    ),
    "unknown guidance term": (
        "x\t\tbase\tjoint\tdpp+colour\tX",
        ["x: guidance term 'colour' is not known; allowed: dpp, mean, influence, deviation, mode"],
    ),
    "a term twice": ("x\t\tbase\tjoint\tdpp+dpp\tX", ["x: a guidance term is named twice"]),
    "unknown coreset": (
        "x\tk-means\t\t\t\tX",
        [f"line {NEXT}: coreset: 'k-means'", "allowed: random, herding, k-centre"],
    ),
    "coreset and prior": ("x\trandom\tbase\tiid\t\tX", [f"line {NEXT}: a row is either a coreset"]),
    "neither": ("x\t\t\t\t\tX", [f"line {NEXT}: a row is either a coreset, or a prior"]),
    "prior without coupling": ("x\t\tbase\t\t\tX", [f"line {NEXT}", "'coupling' is missing"]),
    "iid with dpp": (
        "x\t\tbase\tiid\tdpp\tX",
        ["x: guidance 'dpp' has no effect under coupling 'iid'", "allowed: sequential or joint"],
    ),
    "iid with deviation": (
        "x\t\tbase\tiid\tinfluence+deviation\tX",
        ["x: guidance 'deviation' has no effect under coupling 'iid'", "allowed: sequential"],
    ),
    "joint with deviation": (
        "x\t\tbase\tjoint\tdpp+deviation\tX",
        ["x: guidance 'deviation' has no effect under coupling 'joint'", "allowed: sequential"],
    ),
    "joint without guidance": (
        "x\t\tbase\tjoint\t\tX",
        ["x: coupling 'joint' without a term that couples", "dpp, mean, deviation", "'iid'"],
    ),
    "joint with a term that looks at one image": (
        "x\t\tbase\tjoint\tinfluence\tX",
        ["x: coupling 'joint' without a term that couples", "'iid'"],
    ),
    "sequential with a term that looks at one image": (
        "x\t\tbase\tsequential\tmode\tX",
        ["x: coupling 'sequential' without a term that couples", "'iid'"],
    ),
    "no prior and a term that needs one": (
        "x\t\tnone\tjoint\tdpp\tX",
        ["x: prior 'none' optimises latents by one term", "is 'dpp'; allowed: support"],
    ),
    "no prior and two terms": (
        "x\t\tnone\tjoint\tsupport+mean\tX",
        ["x: prior 'none' optimises latents by one term", "is 'support+mean'"],
    ),
    "no prior, one after the other": (
        "x\t\tnone\tsequential\tsupport\tX",
        ["x: prior 'none' optimises all latents", "allowed: coupling 'joint'"],
    ),
    "a start that needs features": (
        "x\t\tbase\tjoint\tmean\tX\therding",
        ["x: start 'herding' goes by deep features", "allowed: random, support"],
    ),
    "a start that is no coreset": (
        "x\t\tbase\tjoint\tmean\tX\tnoise",
        [f"line {NEXT}: start: 'noise' is not known", "allowed: random, herding"],
    ),
    "a coreset with a start": (
        "x\trandom\t\t\t\tX\trandom",
        [f"line {NEXT}", "'prior' is missing (a row with 'start' needs it)"],
    ),
    "the name of the ceiling": (
        "full\t\tbase\tiid\t\tFull",
        ["methods.tsv: 'full' is the name of a ceiling's row"],
    ),
    "two rows of one name": (
        "dit\t\tbase\tiid\t\tX",
        [f"methods.tsv, line {NEXT}: dit has two rows, the first on line 5"],
    ),
    "a name unfit for a path": ("X/Y\t\tbase\tiid\t\tX", [f"line {NEXT}: method: 'X/Y'"]),
    "no label": ("x\t\tbase\tiid\t\t", [f"line {NEXT}: 'label' is missing"]),
    "a field too many": (
        "x\t\tbase\tjoint\tdpp\tX\t\t\t\tY",
        [f"line {NEXT}: more fields than columns"],
    ),
}


@pytest.mark.parametrize(("row", "words"), METHOD_ROWS.values(), ids=list(METHOD_ROWS))
def test_a_wrong_row_of_the_method_table_is_named(tmp_path, row, words):
    config = table(tmp_path, "methods", lambda lines: [*lines, row])
    one_problem(config, str(tmp_path / "methods.tsv"), *words)


@pytest.mark.parametrize(
    "row",
    [
        "x\t\tbase\tsequential\tdeviation\tX",
        "x\t\tbase\tjoint\tinfluence+mean\tX",
        "x\t\tbase\tiid\tmode+influence\tX",
        "x\tk-centre\t\t\t\tX",
    ],
)
def test_a_row_whose_parts_go_together_is_allowed(tmp_path, row):
    load_study(table(tmp_path, "methods", lambda lines: [*lines, row]), ROOT)


#: The shipped row of digits at IPC 10, on line 4, and that of one method there.
ROW, OWN = shipped_lines("hyperparameters")[3], shipped_lines("hyperparameters")[6]

HYPERPARAMETER_ROWS = {
    "negative weight": ({"eta_dpp": -1}, ["line 4: eta_dpp: -1", "minimum of 0"]),
    "a word for a number": ({"lambda": "five"}, ["line 4: lambda: 'five' is not of type number"]),
    "a weight that is not a number": ({"eta_dpp": "nan"}, ["line 4: eta_dpp", "nan"]),
    "an infinite rate": ({"learning_rate": "inf"}, ["line 4: learning_rate", "inf"]),
    "a fraction for an IPC": ({"ipc": 10.5}, ["line 4: ipc: '10.5'"]),
    "an empty field": (
        {"lambda": ""},
        ["dataset 'digits', IPC 10: no lambda, which rsm, rsm-cgs need"],
    ),
    "an empty field of one method": (
        {"mode_scale": ""},
        ["dataset 'digits', IPC 10: no mode_scale, which mgd3 needs"],
    ),
    "an empty rate": (
        {"learning_rate": ""},
        ["IPC 10: no learning_rate, which minimax, control, rsm, rsm-cgs need"],
    ),
    "a mean weight that overshoots": (
        {"mu_dm": 20481},
        ["digits, IPC 10: mu_dm 20481 overshoots", "allowed: at most 20480"],
    ),
    "unknown dataset": (
        {"dataset": "digts", "method": "rsm"},
        ["dataset 'digts' (IPC 10) is not known; allowed: digits"],
    ),
}


def test_the_rows_that_these_tests_change_are_the_ones_they_mean():
    assert ROW.startswith("digits\t10\t\t")
    assert OWN.startswith("digits\t10\tminimax-igd\t")


@pytest.mark.parametrize(
    ("fields", "words"), HYPERPARAMETER_ROWS.values(), ids=list(HYPERPARAMETER_ROWS)
)
def test_a_wrong_row_of_the_hyperparameter_table_is_named(tmp_path, fields, words):
    def edit(lines):
        new = hyperparameters(ROW, **fields)
        return [*lines, new] if "method" in fields else [*lines[:3], new, *lines[4:]]

    one_problem(
        table(tmp_path, "hyperparameters", edit), str(tmp_path / "hyperparameters.tsv"), *words
    )


def test_a_column_that_is_empty_everywhere_is_one_line(tmp_path):
    def edit(lines):
        return [lines[0], *(hyperparameters(line, mode_scale="") for line in lines[1:])]

    one_problem(table(tmp_path, "hyperparameters", edit), "IPC 1, 5, 10: no mode_scale", "mgd3")


@pytest.mark.parametrize("line", [ROW, OWN])
def test_two_rows_for_one_ipc_are_refused(tmp_path, line):
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines, line])
    name = " ".join(line.split("\t")[:3]).strip()
    one_problem(config, f": {name} has two rows, the first on line")


def test_the_largest_mean_weight_that_does_not_overshoot_is_allowed(tmp_path):
    row = hyperparameters(ROW, mu_dm=20480)
    load_study(table(tmp_path, "hyperparameters", lambda lines: [*lines[:3], row]), ROOT)


# The column `method`: a row of one method lies over the row of all.


def test_a_methods_own_row_lies_over_the_row_of_all_methods():
    study = load_study(SHIPPED, ROOT)
    weights = {
        method: study.term_weights(Cell("digits", method, 1))
        for method in ("dit-igd", "minimax-igd")
    }
    assert weights == {
        "dit-igd": {"k_influence": 5, "gamma_deviation": 50},
        "minimax-igd": {"k_influence": 15, "gamma_deviation": 10},
    }
    assert study.prior(Cell("digits", "minimax-igd", 1)).learning_rate == 0.001


@pytest.mark.parametrize("first", [True, False])
def test_the_order_of_the_two_rows_does_not_matter(tmp_path, first):
    own = hyperparameters(ROW, method="rsm-cgs", mu_dm=5)

    def edit(lines):
        return [lines[0], own, *lines[1:]] if first else [*lines, own]

    study = load_study(table(tmp_path, "hyperparameters", edit), ROOT)
    cells = [("rsm-cgs", 10), ("rsm-greedy", 10), ("rsm-cgs", 5)]
    found = [study.term_weights(Cell("digits", *cell))["mu_dm"] for cell in cells]
    assert found == [5, 1000, 1000]


def test_a_methods_own_rate_and_lambda_make_a_prior_of_its_own(tmp_path):
    row = "\t".join(["digits", "10", "rsm-cgs", "0.02", "0.003"])
    study = load_study(table(tmp_path, "hyperparameters", lambda lines: [*lines, row]), ROOT)
    paths = {m: study.prior(Cell("digits", m, 10)).path for m in ("rsm", "rsm-cgs")}
    assert paths == {"rsm": "rsm/lambda~0.005/lr~0.001", "rsm-cgs": "rsm/lambda~0.02/lr~0.003"}


def test_a_method_with_a_row_of_its_own_alone_needs_no_row_of_all(tmp_path):
    own = hyperparameters(ROW, ipc=2, method="mgd3")

    def edit(lines):
        return [*lines, own]

    config = changed("run.methods", ["dit", "mgd3"])
    config["run"].update(ipc=[2], ablation=None, sweep=None, strategies=None, only=[])
    config["run"]["comparisons"]["pairs"] = []
    config["run"]["spectrum"] = {"ipc": 2, "curves": [{"source": "all", "method": "dit"}]}
    load_study(table(tmp_path, "hyperparameters", edit, config), ROOT)
    one_problem(table(tmp_path, "hyperparameters", list, config), "dataset 'digits' and IPC 2")


def test_a_row_of_a_method_that_does_not_exist_is_named(tmp_path):
    row = hyperparameters(ROW, method="minimax-idg")
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines, row])
    one_problem(config, "method 'minimax-idg' is not one of the method table", "minimax-igd")


def test_a_table_needs_no_column_that_no_method_of_the_study_reads(tmp_path):
    def edit(lines):
        return ["\t".join([*line.split("\t")[:2], *line.split("\t")[3:7]]) for line in lines[:4]]

    config = table(tmp_path, "hyperparameters", edit)
    lines = problems(config)
    assert [line.split(": ")[-1] for line in lines] == [
        "no k_influence, which dit-igd needs",
        "no gamma_deviation, which dit-igd needs",
        "no mode_scale, which mgd3 needs",
        "no rho_ot, which ot needs",
        "no gamma_dap, which dap needs",
    ]
    load_study(without("dit-igd", "mgd3", "ot", "dap", config=config), ROOT)


def test_a_table_that_does_not_exist_is_named():
    one_problem(changed("tables.methods", "no/such.tsv"), "no/such.tsv", "cannot be read")


def test_a_column_of_another_name_is_named_with_those_allowed(tmp_path):
    def rename(lines):
        return [line.replace("ipc", "images") for line in lines[:2]]

    lines = problems(table(tmp_path, "hyperparameters", rename))
    (line,) = lines
    assert "line 1: no column ipc" in line
    assert "wanted: dataset, ipc" in line


def test_a_column_with_a_typo_that_some_methods_alone_need_is_named(tmp_path):
    def rename(lines):
        return [lines[0].replace("k_influence", "k_influenc"), *lines[1:]]

    lines = problems(table(tmp_path, "hyperparameters", rename))
    assert all("'k_influenc'" in line and "k_influence" in line for line in lines)


def test_an_empty_line_does_not_shift_the_line_numbers(tmp_path):
    config = table(tmp_path, "methods", lambda lines: [*lines, "", "x\t\tbase\tpairs\tdpp\tX"])
    one_problem(config, f"line {NEXT + 1}: coupling")


def test_a_table_may_lie_anywhere(tmp_path, monkeypatch):
    table(tmp_path, "methods", lambda lines: lines)
    monkeypatch.chdir(tmp_path)
    study = load_study(changed("tables.methods", "methods.tsv"), ROOT)
    assert list(study.methods) == [line.split("\t")[0] for line in shipped_lines("methods")[1:]]
