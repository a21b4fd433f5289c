"""What jobs are told of their cells: each cell once, where its files go, what tells it apart."""

import copy

import pytest

from lighthouse.config import jobs
from lighthouse.config.batches import COMPOSED, REAL, SAMPLED, batches
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED


@pytest.fixture(scope="module")
def study():
    return load_study(SHIPPED, ROOT)


def code(script, makers):
    """A digest that can be read."""
    return f"{script} {' '.join(makers)}"


def told(study, kind, tell):
    return [cell for batch in batches(study) if batch.kind == kind for cell in tell(study, batch)]


def test_every_set_is_sampled_by_one_job_with_the_code_of_its_own_terms(study):
    cells = told(study, SAMPLED, lambda s, b: jobs.sampled_cells(s, b, code))
    assert len({cell["record"] for cell in cells}) == len({c["stamp"] for c in cells}) == len(cells)
    by_method = {cell["method"]: cell for cell in cells}
    assert by_method["dit"]["code"] == "sample.py "
    assert by_method["mgd3"]["code"] == "sample.py lighthouse.guidance.mode:mode"
    assert by_method["mgd3"]["loads"] == ["lighthouse.guidance.mode:mode"]
    guided = {cell["method"] for cell in cells if cell["guided_by_surrogate"]}
    assert guided == {"dit-igd"}


def test_a_set_that_is_put_together_has_its_options_and_a_script_of_its_own(study):
    cells = told(study, COMPOSED, lambda s, b: jobs.coreset_cells(s, b, code))
    assert [cell["ipc"] for cell in cells] == [1, 5, 10]
    assert {cell["code"] for cell in cells} == {"composed.py lighthouse.mosaics:rded"}
    assert cells[0]["options"] == {"images": 300, "crops": 5}
    real = told(study, REAL, lambda s, b: jobs.coreset_cells(s, b, code))
    assert not any("options" in cell for cell in real)


def test_another_launch_samples_anew_what_has_a_denoiser():
    config = copy.deepcopy(SHIPPED)
    config["compute"]["launch"] = "graphs"
    cells = told(load_study(config, ROOT), SAMPLED, lambda s, b: jobs.sampled_cells(s, b, code))
    by_method = {cell["method"]: cell for cell in cells}
    assert by_method["dit"]["launch"] == "graphs"
    assert by_method["dit"]["code"] == "sample.py  graphs"
    assert "graphs" not in by_method["support-none"]["code"]


def test_a_shard_is_the_same_set_in_a_folder_of_its_own_until_it_is_gathered(study):
    batch = next(batch for batch in batches(study) if batch.kind == SAMPLED)
    whole, shard = (jobs.sampled_cells(study, batch, code, given)[0] for given in (None, "3"))
    places = {"latents", "images", "record", "files", "gathered"}
    assert {k: v for k, v in whole.items() if k not in places} == {
        k: v for k, v in shard.items() if k not in places
    }
    assert whole["files"] == [whole["latents"], whole["images"]]
    assert shard["record"].startswith("results/shards/3/")
    assert shard["files"] == [shard["latents"], shard["images"]]
    assert shard["gathered"] == [whole["record"], *whole["files"]]


def test_a_gathered_set_is_made_from_the_records_of_its_shards(study):
    batch = next(batch for batch in batches(study) if batch.kind == SAMPLED)
    (cell, *_) = jobs.gathered_cells(study, batch, code)
    assert cell["sources"] == [f"{folder}/record.json" for folder in cell["shards"]]
    assert len(cell["shards"]) == len(study.shards("digits"))
    assert (cell["selection"], "code" in cell) == (None, False)


SUBGROUP = "lighthouse.selection.subgroup:subgroup"
LOOKS = ["lighthouse.selection.looking:features_by", "lighthouse.metrics.trained:Trained"]


@pytest.fixture(scope="module")
def selecting():
    """A study with a method that keeps some of its images at every IPC, and its batch."""
    config = copy.deepcopy(SHIPPED)
    config["run"]["only"] = [{"methods": ["dit-igd"], "ipc": [1]}]
    config["run"]["methods"] = ["random", "dit", "dit-igd", "base-subgroup"]
    config["run"] |= dict.fromkeys(["claims", "sweep", "ablation", "strategies", "spectrum"])
    config["run"]["comparisons"]["pairs"] = []
    study = load_study(config, ROOT)
    (batch,) = [one for one in batches(study) if one.name == "base/selected/0"]
    return study, batch


def test_a_set_that_is_selected_loads_what_chooses_and_what_it_looks_with(selecting):
    cell, *others = jobs.sampled_cells(*selecting, code)
    assert [one["ipc"] for one in (cell, *others)] == [1, 5, 10]  # none is part of another
    assert cell["selection"]["options"] == SHIPPED["selections"]["subgroup"]
    assert (cell["selection"]["times"], "seen" in cell) == (5, False)
    assert cell["loads"] == [SUBGROUP, *LOOKS]
    assert cell["code"] == f"sample.py {SUBGROUP} {' '.join(LOOKS)}"


def test_of_shards_the_job_that_gathers_them_chooses(selecting):
    shard, *_ = jobs.sampled_cells(*selecting, code, "3")
    assert (shard["loads"], shard["code"]) == (LOOKS, f"sample.py {' '.join(LOOKS)}")
    assert shard["seen"].startswith("results/shards/3/digits/base-subgroup/")
    assert shard["files"][-1] == shard["seen"]
    gathered, *_ = jobs.gathered_cells(*selecting, code)
    assert gathered["code"] == f"gather.py {SUBGROUP}"
    assert gathered["seeds"] == selecting[0].set_seeds
    assert gathered["selection"] == shard["selection"]


def test_students_and_metrics_are_of_every_cell_and_made_from_its_source(study):
    both = (
        lambda s, b: jobs.student_cells(s, b, "convnet2", "digits"),
        jobs.measured_cells,
    )
    for tell in both:
        cells = [cell for batch in batches(study) for cell in tell(study, batch)]
        everyone = [*study.cells, *study.candidate_cells]
        assert len({cell["record"] for cell in cells}) == len(cells) == len(everyone)
        sources = {tuple(cell["sources"]) for cell in cells}
        assert len(sources) == len({study.source(cell) for cell in everyone})
    assert jobs.student_cells(study, batches(study)[0], "resnet18", "digits") == []


def test_coresets_are_told_how_they_are_chosen(study):
    cells = told(study, REAL, lambda s, b: jobs.coreset_cells(s, b, code))
    chosen = {cell["coreset"]: cell["choose"] for cell in cells}
    assert chosen == {n: f"lighthouse.coresets:{n}" for n in ("random", "herding", "support")}


def test_sets_that_are_handed_on_are_those_of_the_leaderboard_each_in_its_folder(study):
    cells = jobs.distilled_cells(study, "digits")
    folders = [cell["folder"] for cell in cells]
    assert len(set(folders)) == len(study.main_cells) == len(folders)
    assert "results/distilled/digits/rsm-cgs/ipc~10" in folders


def test_the_strategies_are_measured_beside_their_pool(study):
    (cell,) = jobs.strategies_sets(study, "digits")
    of = {name: files["images"].split("/")[3] for name, files in cell["sets"].items()}
    assert of.items() >= {"iid": "rsm", "sequential": "rsm-greedy", "joint": "rsm-cgs"}.items()
    assert cell["pool"]["images"].split("/")[3:5] == ["rsm", "ipc~10"]
    assert (cell["pool_ipc"], len(cell["sources"])) == (10, len(of) + 1)


def test_methods_beside_the_strategies_are_measured_by_their_own_names():
    config = copy.deepcopy(SHIPPED)
    config["run"]["strategies"]["beside"] = ["cgs", "mgd3"]
    (cell,) = jobs.strategies_sets(load_study(config, ROOT), "digits")
    assert list(cell["sets"]) == ["iid", "sequential", "joint", "cgs", "mgd3"]
    assert cell["sets"]["mgd3"]["images"].split("/")[3:5] == ["mgd3", "ipc~5"]
    assert len(cell["sources"]) == 6
