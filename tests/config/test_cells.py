"""Cells and priors: their weights, and the paths and rows that carry them."""

import pytest

from lighthouse.config.grid import Cell
from lighthouse.config.study import load_study
from repository import ROOT
from shipped import SHIPPED, table


@pytest.fixture
def study():
    return load_study(SHIPPED, ROOT)


def test_lambda_comes_from_the_table_or_from_the_prior(study):
    lams = {m: study.prior(study.cell("digits", m, 5)).lam for m in ("rsm", "control")}
    assert lams == {"rsm": 0.005, "control": 0}
    for method in ("dit", "minimax", "minimax-igd", "random"):
        assert study.cell("digits", method, 5).lam == 0
    assert study.prior(study.cell("digits", "minimax", 5)).lam is None


def test_priors_have_folders_of_their_own(study):
    paths = {
        m.name: study.prior(study.cell("digits", m.name, 5)).path
        for m in study.methods.values()
        if m.prior
    }
    assert {paths[m] for m in ("dit", "dit-igd", "mgd3", "cgs")} == {"base"}
    assert {paths[m] for m in ("minimax", "minimax-igd")} == {"minimax/lr~0.001"}
    assert {paths[m] for m in ("rsm", "rsm-cgs", "rsm-greedy")} == {"rsm/lambda~0.005/lr~0.001"}
    assert paths["control"] == "rsm/lambda~0/lr~0.001"


def test_a_cell_is_a_path_and_a_row():
    cell = Cell("digits", "rsm-cgs", 5, 0.005, 100.0, 0.0)
    assert cell.path == "digits/rsm-cgs/ipc~5/lambda~0.005/eta_dpp~100/mu_dm~0"
    assert cell.row == {
        "dataset": "digits",
        "method": "rsm-cgs",
        "ipc": 5,
        "lambda": 0.005,
        "eta_dpp": 100.0,
        "mu_dm": 0.0,
    }
    assert list(cell.row) == ["dataset", "method", "ipc", "lambda", "eta_dpp", "mu_dm"]


@pytest.mark.parametrize("weight", [0.0, 30.0, 1e-5, 0.1234567, 1234567.0, 1e22])
def test_a_weight_survives_the_path_that_carries_it(weight):
    cell = Cell("digits", "cgs", 5, weight, weight, weight)
    folders = dict(part.split("~") for part in cell.path.split("/") if "~" in part)
    del folders["ipc"]
    assert {key: float(text) for key, text in folders.items()} == {
        "lambda": weight,
        "eta_dpp": weight,
        "mu_dm": weight,
    }


@pytest.mark.parametrize("lam", ["0.005", "0.00123456789"])
def test_a_lambda_survives_the_path_that_carries_it(tmp_path, lam):
    def edit(lines):
        return [line.replace("0.005", lam) for line in lines]

    study = load_study(table(tmp_path, "hyperparameters", edit), ROOT)
    prior = study.prior(study.cell("digits", "rsm", 5))
    assert float(prior.path.split("/")[1].removeprefix("lambda~")) == float(lam)


def test_the_weights_of_a_cell_are_its_own_and_else_the_tables(study):
    swept = study.sweep_cells("digits", "mu_dm")[-1]
    assert swept.mu_dm == max(SHIPPED["run"]["sweep"]["mu_dm"])
    assert study.term_weights(swept) == {"eta_dpp": 100, "mu_dm": swept.mu_dm}
    assert study.term_weights(study.cell("digits", "mgd3", 5)) == {"mode_scale": 0.1}
    assert study.term_weights(study.cell("digits", "rsm", 5)) == {}


def test_the_curves_of_the_spectrum_are_named_by_their_methods(study):
    sources = {"random": "real", "control": "lambda=0", "rsm": "RSM"}
    assert study.spectrum_sources == sources
    assert {study.cell("digits", method, 10) for method in sources} <= set(study.main_cells)
