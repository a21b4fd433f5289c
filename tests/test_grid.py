"""The grid: exactly the cells that the tables say, none sampled twice, none dropped."""

import copy
from pathlib import Path

import pytest
import yaml

from lighthouse.config import Cell, load_study

BASE = Path(__file__).parents[1]
SHIPPED = yaml.safe_load((BASE / "config" / "config.yaml").read_text())
COUPLED = ("cgs", "rsm-cgs", "rsm-greedy")
FREE = ("random", "dit", "control", "rsm")


@pytest.fixture
def study():
    return load_study(SHIPPED, BASE)


def with_table(tmp_path, name, lines, **run):
    config = copy.deepcopy(SHIPPED)
    path = tmp_path / f"{name}.tsv"
    path.write_text("\n".join(lines) + "\n")
    config["tables"][name] = str(path)
    config["run"].update(run)
    return load_study(config, BASE)


def shipped_lines(name):
    return (BASE / "config" / f"{name}.tsv").read_text().splitlines()


def test_the_main_cells_are_every_method_at_every_ipc(study):
    expected = {
        Cell("digits", method, ipc, *((100, 1000) if method in COUPLED else (0, 0)))
        for method in (*FREE, *COUPLED)
        for ipc in (1, 5, 10)
    }
    assert set(study.main_cells) == expected
    assert len(study.main_cells) == 21


def test_the_sweep_is_one_cell_a_weight_by_rising_weight(study):
    assert study.sweep_cells("digits") == [
        Cell("digits", "rsm-cgs", 5, eta, 1000) for eta in (0, 30, 100, 300, 1000)
    ]


def test_a_cell_in_the_grid_and_in_the_sweep_counts_once(study):
    assert len(study.cells) == len(set(study.cells)) == 21 + 5 - 1
    assert set(study.cells) == {*study.main_cells, *study.sweep_cells("digits")}


def test_the_cells_of_a_method_are_those_of_the_grid_and_of_its_sweep(study):
    assert len(study.cells_of("digits", "rsm-cgs")) == 3 + 4
    assert len(study.cells_of("digits", "dit")) == 3
    assert len(study.cells_of("digits")) == len(study.cells)


def test_no_two_cells_share_a_path(study):
    assert len({cell.path for cell in study.cells}) == len(study.cells)


@pytest.mark.parametrize("method", FREE)
@pytest.mark.parametrize("ipc", [1, 5, 10])
def test_images_that_do_not_depend_on_the_ipc_are_made_once_at_the_largest(study, method, ipc):
    source = study.source(study.cell("digits", method, ipc))
    assert source == study.cell("digits", method, 10)


@pytest.mark.parametrize("method", COUPLED)
def test_a_coupled_cell_is_its_own_source(study, method):
    for cell in study.cells_of("digits", method):
        assert study.source(cell) == cell


def test_the_mean_term_makes_an_iid_cell_its_own_source(tmp_path):
    row = "pulled\t\tbase\tiid\tmean\tMean alone"
    study = with_table(
        tmp_path,
        "methods",
        [*shipped_lines("methods"), row],
        methods=[*SHIPPED["run"]["methods"], "pulled"],
    )
    cell = study.cell("digits", "pulled", 1)
    assert study.source(cell) == cell


def test_a_prior_tuned_for_one_ipc_is_not_the_source_of_another(tmp_path):
    lines = [line.replace("10\t0.005", "10\t0.003") for line in shipped_lines("hyperparameters")]
    study = with_table(tmp_path, "hyperparameters", lines)
    assert study.source(study.cell("digits", "rsm", 1)).ipc == 5
    assert study.source(study.cell("digits", "rsm", 10)).ipc == 10
    assert study.source(study.cell("digits", "control", 1)).ipc == 10


def test_the_order_of_the_ipcs_does_not_matter():
    config = copy.deepcopy(SHIPPED)
    config["run"]["ipc"] = [10, 1, 5]
    study = load_study(config, BASE)
    assert study.source(study.cell("digits", "dit", 1)).ipc == 10
    assert set(study.cells) == set(load_study(SHIPPED, BASE).cells)


def test_every_cell_is_evaluated_once_and_the_sweep_by_its_own_students():
    config = copy.deepcopy(SHIPPED)
    config["run"]["students"] = ["convnet3", "resnet18"]
    config["run"]["protocols"] = ["digits", "igd"]
    study = load_study(config, BASE)
    evaluations = study.evaluations
    assert len(evaluations) == len(set(evaluations)) == 2 * (21 + 25)
    swept = [e for e in evaluations if e[0] not in study.main_cells]
    assert {student for _, student, _ in swept} == {"convnet3"}
    assert len(swept) == 2 * 4


def test_a_study_without_a_sweep_has_the_main_cells_alone():
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"] = None
    study = load_study(config, BASE)
    assert study.cells == study.main_cells
    assert len(study.evaluations) == 21


@pytest.mark.parametrize(
    ("per_job", "sizes"), [(10, [10]), (100, [10]), (4, [4, 4, 2]), (1, [1] * 10)]
)
def test_shards_are_every_class_once_in_order(per_job, sizes):
    config = copy.deepcopy(SHIPPED)
    config["datasets"]["digits"]["sampler"]["classes_per_job"] = per_job
    shards = load_study(config, BASE).shards("digits")
    assert [len(shard) for shard in shards] == sizes
    assert [label for shard in shards for label in shard] == list(range(10))


def test_a_new_row_of_the_method_table_gives_new_cells_and_changes_no_other(tmp_path, study):
    row = "cgs-greedy\t\tbase\tsequential\tdpp\tGreedy DPP"
    more = with_table(
        tmp_path,
        "methods",
        [*shipped_lines("methods"), row],
        methods=[*SHIPPED["run"]["methods"], "cgs-greedy"],
    )
    new = {Cell("digits", "cgs-greedy", ipc, 100, 0) for ipc in (1, 5, 10)}
    assert set(more.cells) - set(study.cells) == new
    assert set(study.cells) <= set(more.cells)


def test_a_method_that_is_not_run_has_no_cells(tmp_path):
    row = "spare\t\tbase\tiid\t\tSpare"
    study = with_table(tmp_path, "methods", [*shipped_lines("methods"), row])
    assert study.cells_of("digits", "spare") == []


def test_lambda_comes_from_the_table_or_from_the_prior(study):
    assert study.prior("digits", "rsm", 5).lam == 0.005
    assert study.prior("digits", "control", 5).lam == 0
    assert study.prior("digits", "dit", 5).lam is None


def test_priors_have_folders_of_their_own(study):
    paths = {m: study.prior("digits", m, 5).path for m in ("dit", "control", "rsm", "rsm-cgs")}
    assert paths["rsm"] == paths["rsm-cgs"] == "rsm/lambda~0.005/lr~0.001"
    assert paths["control"] == "rsm/lambda~0/lr~0.001"
    assert paths["dit"] == "base"


@pytest.mark.parametrize("weight", [0.0, 30.0, 1e-5, 0.1234567, 1234567.0, 1e22])
def test_a_weight_survives_the_path_that_carries_it(weight):
    cell = Cell("digits", "cgs", 5, weight, 0.0)
    assert float(cell.path.split("eta_dpp~")[1].split("/")[0]) == weight


@pytest.mark.parametrize("lam", ["0.005", "0.00123456789"])
def test_a_lambda_survives_the_path_that_carries_it(tmp_path, lam):
    lines = [line.replace("0.005", lam) for line in shipped_lines("hyperparameters")]
    prior = with_table(tmp_path, "hyperparameters", lines).prior("digits", "rsm", 5)
    assert float(prior.path.split("/")[1].removeprefix("lambda~")) == float(lam)


def test_the_curves_of_the_spectrum_are_the_cells_of_their_methods(study):
    cells = study.spectrum_cells("digits")
    assert {source: cell.method for source, cell in cells.items()} == {
        "real": "random",
        "lambda=0": "control",
        "RSM": "rsm",
    }
    assert {cell.ipc for cell in cells.values()} == {10}
    assert set(cells.values()) <= set(study.main_cells)
