"""Parts: what is declared once is known everywhere, and a further one changes no other's jobs."""

import shutil

import pytest
import torch

from lighthouse.config import rows
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from lighthouse.config.origins import method_looks
from lighthouse.config.schema import ConfigError
from lighthouse.guidance import guides_of
from lighthouse.parts.coresets import CORESETS
from lighthouse.parts.extractors import EXTRACTORS
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.option import COUNT, RATE, WEIGHT, Option
from lighthouse.parts.sweeps import sweepable
from lighthouse.parts.terms import TERMS, Term, steps_option
from lighthouse.report import guidance
from lighthouse.report.ablation import columns
from lighthouse.report.looks import family
from lighthouse.runtime.digest import code_digest
from lighthouse.runtime.named import load
from repository import ROOT
from sampling import context, state
from shipped import SHIPPED, one_problem, table

MODULE = """
def halving(options, context):
    return lambda state: state.z / options["reach"]
"""
HALVING = Term(
    "halving",
    "halving_of_tests:halving",
    "Towards the origin.",
    column="xi_halving",
    weight=Option(WEIGHT, "Weight of the way.", symbol="ξ"),
    unit=lambda ipc: 1.5,
    options={
        "steps": steps_option(0, 500),
        "reach": Option(COUNT, "What the way is divided by.", 2),
    },
    grows=True,
    couplings=("iid", "joint"),
    needs_surrogate=True,
    derived={"xi_by_image": lambda weight, ipc: weight / ipc},
    problem=lambda weight, ipc, options: "is above 8" if weight > 8 else "",
)


def with_column(lines, values):
    head, *others = lines
    return [f"{head}\txi_halving", *(f"{line}\t{values}" for line in others)]


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """A study with a term that this file declares, of weight 4 and by the method ``halved``."""
    (tmp_path / "halving_of_tests.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(TERMS, HALVING.name, HALVING)
    row = "halved\t\trsm\tiid\thalving\tHalved"
    config = table(tmp_path, "methods", lambda lines: [*lines, row])
    config = table(tmp_path, "hyperparameters", lambda lines: with_column(lines, "4"), config)
    config["run"]["methods"].append("halved")
    config["run"]["ablation"]["methods"].append("halved")
    return config


def test_a_declared_term_may_be_named_in_the_table_and_the_config(declared):
    study = load_study(declared, ROOT)
    assert study.config["guidance"]["halving"] == {"steps": [0, 500], "reach": 2}
    declared["guidance"]["halving"] = {"reach": 5}
    study = load_study(declared, ROOT)
    assert study.config["guidance"]["halving"] == {"steps": [0, 500], "reach": 5}
    assert study.term_weights(Cell("digits", "halved", 1)) == {"xi_halving": 4}


def test_a_term_that_is_not_declared_is_refused(tmp_path):
    row = "halved\t\trsm\tiid\thalving\tHalved"
    one_problem(
        table(tmp_path, "methods", lambda lines: [*lines, row]),
        "guidance term 'halving' is not known; allowed: dpp, mean, influence, deviation, mode",
    )
    config = table(tmp_path, "hyperparameters", lambda lines: with_column(lines, "4"))
    one_problem(config, "unknown column 'xi_halving'")


def test_what_is_declared_of_a_term_is_checked(declared, tmp_path):
    declared["guidance"]["halving"] = {"reach": 0}
    one_problem(declared, "config: guidance.halving.reach: 0 is less than the minimum of 1")
    declared["guidance"]["halving"] = {"steps": [500, 500]}
    one_problem(declared, "config: guidance.halving.steps: the first step 500 is not below")
    del declared["guidance"]["halving"]
    surrogate = declared["datasets"]["digits"].pop("surrogate")
    declared["run"]["methods"] = [m for m in declared["run"]["methods"] if "igd" not in m]
    declared["run"]["only"] = []
    one_problem(declared, "datasets.digits: 'surrogate' is missing (halved needs it)")
    declared["datasets"]["digits"]["surrogate"] = surrogate
    config = table(tmp_path, "hyperparameters", lambda lines: with_column(lines, "9"), declared)
    with pytest.raises(ConfigError, match="IPC 5: xi_halving 9 is above 8"):
        load_study(config, ROOT)


def test_a_declared_term_must_have_its_weight_and_a_coupling_of_its_own(declared, tmp_path):
    empty = table(tmp_path, "hyperparameters", lambda lines: with_column(lines, ""), declared)
    one_problem(empty, "IPC 1, 5, 10: no xi_halving, which halved needs")
    row = "halved\t\trsm\tsequential\thalving+mean\tHalved"
    config = table(tmp_path, "hyperparameters", lambda lines: with_column(lines, "4"), declared)
    config = table(tmp_path, "methods", lambda lines: [*lines, row], config)
    one_problem(config, "guidance 'halving' has no effect under coupling 'sequential'")


def test_a_declared_term_is_in_every_table(declared):
    study = load_study(declared, ROOT)
    specs = {spec["method"]: spec for spec in rows.ablation_specs(study)}
    expected = {"rsm": "yes", "dpp": "no", "mean": "no", "support": "no", "halving": "yes"}
    assert specs["halved"]["factors"] == expected
    assert specs["dit"]["factors"]["halving"] == "no"
    assert "halving" in columns(list(specs.values()))
    (cost,) = (r for r in rows.cost_rows(study) if (r["method"], r["ipc"]) == ("halved", 1))
    assert "results/costs/surrogates/digits/replicate~0.json" in cost["preparation"]
    (look,) = (row for row in method_looks(study) if row["name"] == "halved")
    assert family(look) == "RSM and CGS"
    cell = Cell("digits", "halved", 5).row
    options = {
        "weights": {"xi_halving": 4.0},
        "applied_weights": {"xi_halving": 0.25},
        "latent_dim": 256,
    }
    shown = guidance.guidance_row(cell, {"options": options})
    assert tuple(shown)[-4:] == ("xi_halving", "xi_halving_applied", "xi_by_image", "status")
    assert [shown[name] for name in tuple(shown)[-4:-1]] == [4, 0.25, 0.8]
    known = {term["column"]: term["grows"] for term in expectations(study)["terms"]}
    assert known["xi_halving"]


def test_an_earlier_part_puts_a_method_among_the_earlier_ones():
    study = load_study(SHIPPED, ROOT)
    of = {row["name"]: family(row) for row in method_looks(study)}
    assert of["minimax"] == of["dit-igd"] == of["mgd3"] == "methods of others"
    assert (of["dit"], of["rsm"], of["random"]) == ("base prior", "RSM and CGS", "real images")
    assert of["support-tuned"] == of["support-none"] == "support points (ours)"


def test_a_job_makes_a_declared_term_of_its_options(declared):
    declared["guidance"]["halving"] = {"reach": 5}
    study = load_study(declared, ROOT)
    (guide,) = guides_of(study.terms(Cell("digits", "halved", 1)), context(latent_dim=64))
    assert (guide.weight, guide.steps) == (4 * 64 / 4096, (0, 500))
    s = state(2, 8)
    assert torch.equal(guide.term(s), s.z / 5)


MAKERS = {
    **{f"coreset {name}": part.choose for name, part in CORESETS.items()},
    **{f"extractor {name}": part.network for name, part in EXTRACTORS.items()},
    **{f"objective {name}": part.make for name, part in OBJECTIVES.items()},
    **{f"term {name}": part.make for name, part in TERMS.items()},
}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=list(MAKERS))
def test_what_a_part_is_made_by_is_there(maker):
    assert callable(load(maker))


def test_every_number_of_a_methods_parts_can_be_swept(declared):
    study = load_study(declared, ROOT)
    found = study.sweepable("halved")
    sampler = ["sampler.steps", "sampler.guidance_scale"]
    of_parts = ["lambda", "learning_rate", "xi_halving", "halving.reach"]
    assert list(found) == [*of_parts, *sampler]
    assert (found["lambda"].label, found["xi_halving"].symbol) == ("λ of RSM", "ξ")
    assert (found["halving.reach"].range, found["halving.reach"].label) == (COUNT, "halving.reach")
    assert found["learning_rate"].range == RATE
    assert (list(study.sweepable("dit")), study.sweepable("random")) == (sampler, {})
    own = [f"minimax.{key}" for key in ("positive", "negative", "memory")]
    assert list(sweepable((), "minimax")) == [*own, "learning_rate", *sampler]


def test_options_that_a_config_leaves_out_are_the_declared_ones():
    study = load_study({**SHIPPED, "guidance": {"mode": {"steps": [0, 1000]}}}, ROOT)
    assert study.config["guidance"] == {**SHIPPED["guidance"], "mode": {"steps": [0, 1000]}}


#: Scripts whose results no other method's part may change.
SCRIPTS = ("sample", "prior", "surrogate", "coreset", "autoencoder", "latents", "student")


@pytest.mark.parametrize("script", [*SCRIPTS, "set_metrics"])
def test_a_further_term_changes_the_code_of_no_job(tmp_path, script):
    shutil.copytree(ROOT / "workflow", tmp_path / "w", ignore=shutil.ignore_patterns("*.pyc"))
    library, path = tmp_path / "w" / "lib", tmp_path / "w" / "scripts" / f"{script}.py"
    before = code_digest(path, library)
    for name in ("parts/terms.py", "guidance/dpp.py", "priors/minimax.py"):
        with (library / "lighthouse" / name).open("a") as file:
            # A statement of its own counts in the digest of every script that loads the module.
            file.write("\nprint('loaded')\n")
    assert code_digest(path, library) == before
