"""Sections that a study inherits follow its methods and IPCs; what it says itself stays."""

import copy

import pytest

from lighthouse.config.load import load_study
from lighthouse.config.presets import over_shipped
from lighthouse.report.items import items
from repository import ROOT
from shipped import DEFAULT, problems


def study(**run):
    return load_study(over_shipped({"study": "my", "run": run}, ROOT), ROOT)


def test_the_default_and_what_runs_the_same_keep_all():
    assert study().left_out == ()
    assert study(seeds=[5]).config["run"] == {**DEFAULT["run"], "seeds": [5]}


def test_a_study_that_names_its_methods_alone_needs_no_more():
    found = study(methods=["random", "dit"])
    run = found.run
    assert [run[key] for key in ("ablation", "sweep", "strategies", "claims")] == [None] * 4
    assert run["only"] == [] and run["comparisons"]["base"] == "dit"
    assert run["spectrum"] == {"ipc": 10, "curves": [{"source": "real", "method": "random"}]}
    assert [cell.path for cell in found.cells] == [
        f"digits/{method}/ipc~{ipc}/table" for method in ("random", "dit") for ipc in (1, 5, 10)
    ]
    assert {line.split(":")[0] for line in found.left_out} == {
        f"run.{key}" for key in ("ablation", "sweep", "strategies", "claims", "spectrum")
    }


@pytest.mark.parametrize("method", ["random", "dit", "rsm", "support-tuned", "support-none"])
def test_each_method_can_be_the_only_one(method):
    found = study(methods=[method])
    assert found.run["comparisons"]["base"] == method
    names = {item.name for item in items(found)}
    assert ("figure_spectrum" in names) == bool(found.run["spectrum"])


def test_lists_are_cut_to_what_is_run():
    lost = {"minimax", "support-tuned"}
    kept = [name for name in DEFAULT["run"]["methods"] if name not in lost]
    run = study(methods=kept).run
    assert run["strategies"]["beside"] == []
    assert run["sweep"] == DEFAULT["run"]["sweep"]
    assert "support-tuned" not in run["ablation"]["methods"]
    # Rows that were computed for the ablation alone go with one that it lacks.
    assert "base-mean" not in run["ablation"]["methods"]
    assert [claim["name"] for claim in run["claims"]] == [
        claim["name"]
        for claim in DEFAULT["run"]["claims"]
        if not {claim["of"], claim.get("against")} & lost
    ]


def test_a_further_method_takes_nothing_away():
    run = study(methods=[*DEFAULT["run"]["methods"], "k-centre"]).run
    assert {k: v for k, v in run.items() if k != "methods"} == {
        k: v for k, v in DEFAULT["run"].items() if k != "methods"
    }


def test_the_spectrum_has_the_largest_ipc_where_the_defaults_is_not_run():
    run = study(ipc=[1, 5]).run
    assert run["spectrum"]["ipc"] == 5 and len(run["spectrum"]["curves"]) == 3
    # Claims of the default's IPC went.
    assert {claim.get("ipc", 1) for claim in run["claims"]} == {1, 5}
    assert run["sweep"] == DEFAULT["run"]["sweep"]
    run = study(ipc=[10]).run
    assert run["ablation"] is run["sweep"] is run["strategies"] is None
    assert [entry["methods"] for entry in run["only"]] == []


def test_what_a_study_says_itself_is_told():
    said = {"strategies": {"ipc": 10}, "ablation": {"methods": ["dit", "none-such"]}}
    config = over_shipped({"study": "my", "run": {"methods": ["dit"], **said}}, ROOT)
    told = "\n".join(problems(config))
    assert "run.strategies.joint: 'rsm-cgs' is not known" in told
    assert "run.ablation.methods: 'none-such' is not known" in told
    assert "run.sweep" not in told and "run.spectrum" not in told


def test_a_study_without_a_spectrum_has_no_table_of_one():
    config = copy.deepcopy(DEFAULT)
    config["run"] |= {"spectrum": None, "claims": None}
    found = load_study({**config, "study": "my"}, ROOT)
    names = {item.name for item in items(found)}
    assert not {"table_spectrum", "table_spectrum_ranks", "figure_spectrum"} & names
    assert all(found.measures(cell)["spectrum"] is None for cell in found.cells)
    # Claims of other measures do without its table.
    config["run"]["claims"] = DEFAULT["run"]["claims"][:1]
    made = items(load_study({**config, "study": "my"}, ROOT))
    (claims,) = (item for item in made if item.name == "table_claims")
    assert "spectrum_ranks" not in claims.inputs


def test_priors_are_checked_by_no_more_images_than_the_protocol_knows():
    config = copy.deepcopy(DEFAULT) | {"study": "my"}
    config["protocols"]["digits"]["epochs"] = [[1, 50]]
    config["run"] |= {"ipc": [1], "ceiling": False, "claims": None}
    found = load_study(config, ROOT)
    assert found.run["prior_check"] == {**DEFAULT["run"]["prior_check"], "ipc": 1}
    assert any(line.startswith("run.prior_check.ipc: 1, the last") for line in found.left_out)
    config["run"]["prior_check"] = {**DEFAULT["run"]["prior_check"], "ipc": 4}
    assert "run.prior_check.ipc: protocol 'digits' has no epochs" in "".join(problems(config))
