"""Cells and priors: their weights, and the paths and rows that carry them."""

import copy

import pytest

from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED, table


@pytest.fixture
def study():
    return load_study(SHIPPED, ROOT)


def test_lambda_comes_from_the_table_or_from_the_prior(study):
    lams = {m: study.prior(Cell("digits", m, 5)).options["lambda"] for m in ("rsm", "control")}
    assert lams == {"rsm": 0.005, "control": 0}
    for method in ("dit", "minimax", "minimax-igd"):
        assert "lambda" not in study.prior(Cell("digits", method, 5)).options


def test_priors_have_folders_of_their_own(study):
    paths = {
        m.name: study.prior(Cell("digits", m.name, 5)).path
        for m in study.methods.values()
        if m.prior
    }
    assert {paths[m] for m in ("dit", "dit-igd", "mgd3", "cgs")} == {"base"}
    assert {paths[m] for m in ("minimax", "minimax-igd")} == {"minimax/lr~0.001"}
    assert {paths[m] for m in ("rsm", "rsm-cgs", "rsm-greedy")} == {"rsm/lambda~0.005/lr~0.001"}
    assert paths["control"] == "rsm/lambda~0/lr~0.001"


def test_a_prior_with_a_tuning_of_its_own_has_a_folder_and_the_options_of_its_own():
    config = copy.deepcopy(SHIPPED)
    config["priors"]["control"]["tuning"] = {"tune": "difffit", "epochs": 3, "l1_centre": "none"}
    study = load_study(config, ROOT)
    rsm, control = (study.prior(Cell("digits", m, 5)) for m in ("rsm", "control"))
    assert control.path == "rsm/lambda~0/lr~0.001,epochs~3,l1_centre~none,tune~difffit"
    assert study.tuning("digits", rsm) == SHIPPED["datasets"]["digits"]["tuning"]
    found = study.tuning("digits", control)
    assert "steps" not in found
    assert found == {**found, **control.tuning, "batch_size": 64}


def test_a_cell_is_a_path_and_a_row():
    cell = Cell("digits", "rsm-cgs", 5, "eta_dpp~30")
    assert cell.path == "digits/rsm-cgs/ipc~5/eta_dpp~30"
    assert cell.row == {"dataset": "digits", "method": "rsm-cgs", "ipc": 5, "variant": "eta_dpp~30"}
    assert cell.moved == {"eta_dpp": 30.0}
    assert Cell("digits", "random", 5).path == "digits/random/ipc~5/table"
    assert Cell("digits", "random", 5).moved == {}


@pytest.mark.parametrize("weight", [0.0, 30.0, 1e-5, 0.1234567, 3.0e-9, 123456.7, 1e-22])
def test_a_weight_survives_the_path_that_carries_it(weight):
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"].update(method="rsm", values={"lambda": [weight]})
    points = load_study(config, ROOT).sweep_points("digits", "lambda")
    folder = points[weight].path.rsplit("/", 1)[1]
    assert float(folder.removeprefix("lambda~")) == weight


@pytest.mark.parametrize("lam", ["0.005", "0.00123456789"])
def test_a_lambda_survives_the_path_that_carries_it(tmp_path, lam):
    def edit(lines):
        return [line.replace("0.005", lam) for line in lines]

    study = load_study(table(tmp_path, "hyperparameters", edit), ROOT)
    prior = study.prior(Cell("digits", "rsm", 5))
    assert float(prior.path.split("/")[1].removeprefix("lambda~")) == float(lam)


def test_the_weights_of_a_cell_are_its_own_and_else_the_tables(study):
    largest = max(SHIPPED["run"]["sweep"]["values"]["mu_dm"])
    swept = study.sweep_points("digits", "mu_dm")[largest]
    assert study.term_weights(swept) == {"eta_dpp": 100, "mu_dm": largest}
    assert study.term_weights(Cell("digits", "mgd3", 5)) == {"mode_scale": 0.1}
    assert study.term_weights(Cell("digits", "rsm", 5)) == {}


def test_the_curves_of_the_spectrum_are_named_by_their_methods(study):
    sources = {"random": "real", "control": "lambda=0", "rsm": "RSM"}
    assert study.spectrum_sources == sources
    assert {Cell("digits", method, 10) for method in sources} <= set(study.main_cells)
