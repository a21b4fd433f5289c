"""The grid: exactly the cells that the tables say, none sampled twice, none dropped."""

import copy

import pytest

from lighthouse.config.batches import EXTERNAL, batches
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from lighthouse.config.rows import leaderboard_specs
from lighthouse.steps import respaced
from repository import ROOT
from shipped import SHIPPED, hyperparameters, table, with_external

COUPLED = ("cgs", "rsm-cgs", "support-none", "cgs-tuned", "support-tuned")
#: Coupled one by one, which at IPC 1 is nothing new.
GREEDY = ("rsm-greedy", "support-greedy-tuned")
#: Sampled more often than kept.
CHOSEN = ("base-subgroup", "base-confident", "base-support-chosen")
#: Run at the IPC of the ablation alone.
AT_5 = (*GREEDY, "rsm-support-tuned", "ot", "dap", *CHOSEN)
#: Methods whose image n does not depend on the IPC.
FREE = ("random", "herding", "dit", "minimax", "control", "rsm")
#: Neither coupled nor free: alone, but made for one IPC.
ALONE = ("mgd3", "rded", "support-real")
IGD = ("dit-igd",)
IPCS = (1, 5, 10)


@pytest.fixture
def study():
    return load_study(SHIPPED, ROOT)


def with_table(tmp_path, name, edit, **run):
    config = table(tmp_path, name, edit)
    config["run"].update(run)
    return load_study(config, ROOT)


def main_cell(method, ipc):
    return Cell("digits", method, ipc)


MAIN = {main_cell(m, n) for m in (*FREE, *ALONE, *COUPLED) for n in IPCS}
MAIN |= {main_cell(m, 1) for m in IGD} | {main_cell(m, 5) for m in AT_5}
#: What the ablation adds to the main cells.
ABLATION = {
    main_cell(method, 5)
    for method in (
        "base-mean",
        "base-mean-greedy",
        "base-mean-joint",
        "base-dpp-greedy",
        "base-dpp-joint",
        "base-greedy",
    )
}
#: The values of each factor beside the table's own, which may change with what is studied.
OWN = {"lambda": 0.005, "eta_dpp": 100, "mu_dm": 1000}
VALUES = {
    factor: sorted(set(map(float, SHIPPED["run"]["sweep"]["values"][factor])) - {own})
    for factor, own in OWN.items()
}
#: What the sweep adds.
SWEEP = {
    Cell("digits", "rsm-cgs", 5, f"{factor}~{value:g}")
    for factor, values in VALUES.items()
    for value in values
}
N_SWEPT = sum(map(len, VALUES.values()))


def test_the_main_cells_are_every_method_at_every_ipc_at_which_it_is_run(study):
    assert set(study.main_cells) == MAIN
    assert len(study.main_cells) == len(MAIN)


def test_the_grid_is_exactly_the_main_cells_the_ablation_and_the_sweep_each_once(study):
    assert set(study.cells) == MAIN | ABLATION | SWEEP
    assert len(study.cells) == len(MAIN) + len(ABLATION) + len(SWEEP)
    assert all(VALUES.values())


def test_the_cells_of_tables_are_all_but_those_of_sweeps(study):
    assert set(study.table_cells) == MAIN | ABLATION
    assert len(study.table_cells) == len(MAIN | ABLATION)


def test_the_ablation_is_one_cell_a_row_in_the_order_of_the_config(study):
    methods = SHIPPED["run"]["ablation"]["methods"]
    assert [cell.method for cell in study.ablation_cells] == methods
    assert {cell.ipc for cell in study.ablation_cells} == {5}
    assert ABLATION <= set(study.ablation_cells) <= MAIN | ABLATION


@pytest.mark.parametrize(("factor", "own"), OWN.items())
def test_a_sweep_moves_one_factor_by_rising_value_through_the_tables_own(study, factor, own):
    points = study.sweep_points("digits", factor)
    assert list(points) == sorted([*VALUES[factor], own])
    assert points[own] == main_cell("rsm-cgs", 5)
    assert list(points.values()) == study.sweep_cells("digits", factor)
    moved = {value: cell.moved for value, cell in points.items() if value != own}
    assert moved == {value: {factor: value} for value in VALUES[factor]}


def test_a_factor_without_values_has_no_sweep():
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"]["values"].update({"lambda": [], "mu_dm": []})
    study = load_study(config, ROOT)
    assert study.sweep_cells("digits", "lambda") == study.sweep_cells("digits", "mu_dm") == []
    assert len(study.cells) == len(MAIN | ABLATION) + len(VALUES["eta_dpp"])


def test_a_swept_lambda_has_a_prior_of_its_own():
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"]["values"]["lambda"] = [0.02, 0]
    study = load_study(config, ROOT)
    paths = [study.prior(cell).path for cell in study.sweep_cells("digits", "lambda")]
    assert paths == [f"rsm/lambda~{lam}/lr~0.001" for lam in ("0", "0.005", "0.02")]


def test_the_cells_of_a_method_are_those_of_the_grid_and_of_its_sweep(study):
    assert len(study.cells_of("digits", "rsm-cgs")) == 3 + N_SWEPT
    assert len(study.cells_of("digits", "dit")) == 3
    assert len(study.cells_of("digits", "dit-igd")) == 1
    assert len(study.cells_of("digits")) == len(study.cells)


def test_the_methods_of_a_dataset_are_those_with_cells_there(study):
    run = SHIPPED["run"]
    assert set(study.methods_of("digits")) == {*run["methods"], *run["ablation"]["methods"]}
    assert len(study.methods_of("digits")) == len(run["methods"]) + len(ABLATION)
    assert study.methods_of("digits")[: len(run["methods"])] == run["methods"]


# `run.only`.


def test_a_method_is_run_at_the_ipcs_that_only_leaves_it(study):
    assert study.ipcs("dit-igd") == [1]
    assert study.ipcs("rsm") == [1, 5, 10]


def test_two_entries_of_only_leave_what_both_allow():
    config = copy.deepcopy(SHIPPED)
    config["run"]["only"] = [
        {"methods": ["dit-igd", "mgd3"], "ipc": [1, 5]},
        {"methods": ["dit-igd"], "ipc": [5, 10]},
    ]
    study = load_study(config, ROOT)
    ipcs = {m: study.ipcs(m) for m in ("dit-igd", "mgd3", "minimax-igd")}
    assert ipcs == {"dit-igd": [5], "mgd3": [1, 5], "minimax-igd": [1, 5, 10]}


def test_only_does_not_take_a_row_out_of_the_ablation():
    config = copy.deepcopy(SHIPPED)
    config["run"]["only"].append({"methods": ["cgs"], "ipc": [1]})
    study = load_study(config, ROOT)
    assert main_cell("cgs", 5) in study.cells
    assert main_cell("cgs", 5) not in study.main_cells


# What is sampled once.


def test_no_two_cells_share_a_path(study):
    assert len({cell.path for cell in study.cells}) == len(study.cells)


@pytest.mark.parametrize("method", FREE)
@pytest.mark.parametrize("ipc", IPCS)
def test_images_that_do_not_depend_on_the_ipc_are_made_once_at_the_largest(study, method, ipc):
    source = study.source(Cell("digits", method, ipc))
    assert source == Cell("digits", method, 10)


@pytest.mark.parametrize("method", [*COUPLED, *AT_5, *IGD, *ALONE])
def test_a_guided_cell_is_its_own_source(study, method):
    for cell in study.cells_of("digits", method):
        assert study.source(cell) == cell


def test_the_mean_term_makes_an_iid_cell_its_own_source(tmp_path):
    row = "pulled\t\tbase\tiid\tmean\tMean alone"
    study = with_table(
        tmp_path,
        "methods",
        lambda lines: [*lines, row],
        methods=[*SHIPPED["run"]["methods"], "pulled"],
    )
    cell = Cell("digits", "pulled", 1)
    assert study.source(cell) == cell


def test_a_prior_tuned_for_one_ipc_is_not_the_source_of_another(tmp_path):
    def edit(lines):
        return [*lines[:3], hyperparameters(lines[3], **{"lambda": 0.003}), *lines[4:]]

    study = with_table(tmp_path, "hyperparameters", edit)
    assert study.source(Cell("digits", "rsm", 1)).ipc == 5
    assert study.source(Cell("digits", "rsm", 10)).ipc == 10
    assert study.source(Cell("digits", "control", 1)).ipc == 10


def test_a_row_of_the_ablation_alone_is_its_own_source(study):
    for cell in ABLATION:
        assert study.source(cell) == cell


def test_an_ipc_that_only_leaves_out_is_no_source():
    config = copy.deepcopy(SHIPPED)
    config["run"]["only"].append({"methods": ["dit"], "ipc": [1, 5]})
    config["run"]["spectrum"]["curves"] = [{"source": "real", "method": "random"}]
    study = load_study(config, ROOT)
    assert study.source(Cell("digits", "dit", 1)).ipc == 5


def test_the_source_of_a_cell_is_a_cell_of_the_grid(study):
    assert {study.source(cell) for cell in study.cells} <= set(study.cells)
    assert all(study.source(study.source(c)) == study.source(c) for c in study.cells)


def test_the_order_of_the_ipcs_does_not_matter():
    config = copy.deepcopy(SHIPPED)
    config["run"]["ipc"] = [10, 1, 5]
    study = load_study(config, ROOT)
    assert study.source(Cell("digits", "dit", 1)).ipc == 10
    assert set(study.cells) == set(load_study(SHIPPED, ROOT).cells)


# What is trained.


def test_the_evaluations_are_every_cell_by_every_student_and_protocol_that_asks(study):
    expected = {(cell, "convnet2", "digits") for cell in MAIN | ABLATION | SWEEP}
    assert set(study.evaluations) == expected
    assert len(study.evaluations) == len(expected)


def test_ablation_and_sweep_have_students_of_their_own():
    config = copy.deepcopy(SHIPPED)
    config["run"].update(students=["convnet2", "resnet18"], protocols=["digits", "igd"])
    config["run"]["sweep"]["students"] = []
    config["run"]["ablation"]["students"] = ["resnet-ap10"]
    study = load_study(config, ROOT)
    expected = {
        *((cell, student) for cell in MAIN for student in ("convnet2", "resnet18")),
        *((cell, "resnet-ap10") for cell in study.ablation_cells),
    }
    assert {e[:2] for e in study.evaluations if e[2] == "digits"} == expected
    assert {e[:2] for e in study.evaluations if e[2] == "igd"} == expected
    assert (
        len(study.evaluations)
        == len(set(study.evaluations))
        == 2 * (2 * len(MAIN) + len(study.ablation_cells))
    )


def test_a_study_without_ablation_and_sweep_has_the_main_cells_alone():
    config = copy.deepcopy(SHIPPED)
    config["run"].update(ablation=None, sweep=None, strategies=None)
    study = load_study(config, ROOT)
    assert study.cells == study.main_cells
    assert study.ablation_cells == study.swept_cells == []
    assert len(study.evaluations) == len(MAIN)


def test_the_ceilings_are_every_student_and_protocol_on_every_dataset():
    config = copy.deepcopy(SHIPPED)
    config["run"].update(students=["convnet2", "resnet18"], protocols=["digits", "igd"])
    for real, reconstructed in ((True, False), (True, True), (False, True), (False, False)):
        config["run"].update(ceiling=real, reconstructed=reconstructed)
        assert [(c.name, *rest) for c, *rest in load_study(config, ROOT).ceilings] == [
            (name, "digits", student, protocol)
            for name, asked in (("full", real), ("reconstructed", reconstructed))
            if asked
            for student in ("convnet2", "resnet18")
            for protocol in ("digits", "igd")
        ]


@pytest.mark.parametrize(
    ("per_job", "sizes"), [(10, [10]), (100, [10]), (4, [4, 4, 2]), (1, [1] * 10)]
)
def test_shards_are_every_class_once_in_order(per_job, sizes):
    config = copy.deepcopy(SHIPPED)
    config["datasets"]["digits"]["sampler"]["classes_per_job"] = per_job
    shards = load_study(config, ROOT).shards("digits")
    assert [len(shard) for shard in shards] == sizes
    assert [label for shard in shards for label in shard] == list(range(10))


def test_a_new_row_of_the_method_table_gives_new_cells_and_changes_no_other(tmp_path, study):
    row = "cgs-greedy\t\tbase\tsequential\tdpp\tGreedy DPP"
    more = with_table(
        tmp_path,
        "methods",
        lambda lines: [*lines, row],
        methods=[*SHIPPED["run"]["methods"], "cgs-greedy"],
    )
    new = {Cell("digits", "cgs-greedy", ipc) for ipc in IPCS}
    assert set(more.cells) - set(study.cells) == new
    assert set(study.cells) <= set(more.cells)


def test_a_method_that_is_not_run_has_no_cells(tmp_path):
    row = "spare\t\tbase\tiid\t\tSpare"
    study = with_table(tmp_path, "methods", lambda lines: [*lines, row])
    assert study.cells_of("digits", "spare") == []


# Finished sets that were made elsewhere.


def test_an_external_set_is_one_cell_at_its_own_ipc():
    study = load_study(with_external(mine={"ipc": 7}), ROOT)
    cell = Cell("digits", "mine", 7)
    assert set(study.cells) == MAIN | ABLATION | SWEEP | {cell}
    assert set(study.main_cells) == MAIN | {cell}
    assert study.source(cell) == cell
    assert [e for e in study.evaluations if e[0] == cell] == [(cell, "convnet2", "digits")]
    assert study.methods["mine"].label == "Mine"
    assert "mine" not in study.own_methods
    assert study.external_root("mine") == ROOT / "data" / "mine"


def test_an_external_set_of_several_ipcs_has_a_cell_each_in_one_batch():
    study = load_study(with_external(mine={"ipc": [5, 10, 20], "take": "first"}), ROOT)
    cells = [Cell("digits", "mine", ipc) for ipc in (5, 10, 20)]
    assert set(study.main_cells) == MAIN | set(cells)
    assert [study.source(cell) for cell in cells] == cells
    (batch,) = [batch for batch in batches(study) if batch.kind == EXTERNAL]
    assert batch.sources == batch.cells == tuple(cells)
    shown = [s["ipc"] for s in leaderboard_specs(study) if s["method"] == "mine"]
    assert shown == [5, 10, 20]


def test_an_external_set_of_a_dataset_that_is_not_run_has_no_cell(tmp_path):
    config = with_external(mine={"dataset": "other", "ipc": 900})
    config["datasets"]["other"] = copy.deepcopy(config["datasets"]["digits"])
    assert set(load_study(config, ROOT).cells) == MAIN | ABLATION | SWEEP


def test_passes_that_a_term_takes_itself_are_expected_of_what_it_guides():
    """Of 25 respaced steps, one an image and its share of one of each of 50 real ones."""
    config = copy.deepcopy(SHIPPED)
    config["run"]["only"] = [{"methods": ["dit-igd"], "ipc": [1]}]
    config["guidance"]["dap"] = {"steps": [500, 1000]}
    sampled = {
        (cell["method"], cell["ipc"]): cell
        for cell in expectations(load_study(config, ROOT))["sampled"]
        if cell["variant"] == "table"
    }
    guided = sum(t >= 500 for t in respaced(25))
    for ipc in (1, 5, 10):
        assert sampled["dap", ipc]["terms"] == guided * (1 + 50 / ipc)
        assert sampled["ot", ipc]["terms"] == sampled["dit", ipc]["terms"] == 0
    assert not any(sampled[method, 1]["back"] for method in ("dap", "ot", "dit"))
    assert sampled["dit-igd", 1]["back"]
