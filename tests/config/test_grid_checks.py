"""A grid that cannot be computed is refused, each mistake in one line."""

import copy

import pytest

from lighthouse.config.load import load_study
from repository import ROOT
from shipped import (
    LEFT_OUT,
    SHIPPED,
    changed,
    hyperparameters,
    one_problem,
    problems,
    table,
    without,
)

MISTAKES = {
    "phases of as many classes as there are": (
        "priors.minimax.tuning",
        {"classes_per_phase": 10},
        [
            "config: priors.minimax.tuning.classes_per_phase: 10 classes are all 10 in one phase; "
            "allowed: fewer, or without the key"
        ],
    ),
    "guided steps between those of the sampler": (
        "guidance.mode.steps",
        [613, 624],
        [
            "config: guidance.mode.steps: 613 to 623 holds none of the 25 steps",
            "datasets.digits.sampler takes (every 41.6 of 0 to 999)",
            "'mgd3'",
        ],
    ),
    "a method left with no IPC": (
        "run.only",
        [{"methods": ["mgd3"], "ipc": [1]}, {"methods": ["mgd3"], "ipc": [5]}],
        ["config: run.only: leaves 'mgd3' at no IPC of run.ipc"],
    ),
    "only of an unknown method": (
        "run.only",
        [{"methods": ["igd"], "ipc": [1]}],
        ["config: run.only: 'igd' is not known; allowed: random, herding", "dit-igd"],
    ),
    "an ablation of an unknown method": (
        "run.ablation.methods",
        ["dit", "base-maen"],
        ["config: run.ablation.methods: 'base-maen' is not known", "or `run.ablation: null`"],
    ),
    "an ablation by an unknown student": (
        "run.ablation.students",
        ["convnet4"],
        ["config: run.ablation.students: 'convnet4' is not known; allowed: convnet2"],
    ),
    "an ablation by a student deeper than the images": (
        "run.ablation.students",
        ["convnet6"],
        ["config: students.convnet6 at 16 px (digits, digits)"],
    ),
    "an ablation at an IPC that is not run": (
        "run.ablation.ipc",
        7,
        ["config: run.ablation.ipc: 7 is not one of run.ipc: 1, 5, 10"],
    ),
    "a sweep by a student deeper than the images": (
        "run.sweep.students",
        ["convnet6"],
        ["config: students.convnet6 at 16 px (digits, digits)"],
    ),
    "a sweep over a lambda that the prior has not": (
        "run.sweep.method",
        "cgs",
        [
            "config: run.sweep.method: 'cgs' has no lambda to sweep",
            "allowed: rsm-cgs, rsm-greedy",
        ],
    ),
    "a sweep that overshoots the mean": (
        "run.sweep.values.mu_dm",
        [0, 10241],
        ["config: run.sweep.values.mu_dm.1: 10241 overshoots", "allowed: at most 10240"],
    ),
    "a strategies figure at an IPC that is not run": (
        "run.strategies.ipc",
        7,
        ["config: run.strategies.ipc: 7 is not one of run.ipc: 1, 5, 10"],
    ),
    "a strategies figure of one image": (
        "run.strategies.ipc",
        1,
        ["config: run.strategies.ipc: 1", "minimum of 2"],
    ),
    "a strategies figure of a class that is not there": (
        "run.strategies.shown_class",
        10,
        ["config: run.strategies.shown_class: 10 is no label of 'digits'; allowed: 0 to 9"],
    ),
    "a strategies figure of an unknown method": (
        "run.strategies.joint",
        "rsm-csg",
        ["config: run.strategies.joint: 'rsm-csg' is not known", "or `run.strategies: null`"],
    ),
    "a strategies figure row of another coupling": (
        "run.strategies.joint",
        "rsm-greedy",
        ["config: run.strategies.joint: 'rsm-greedy' is not sampled so; allowed: cgs, rsm-cgs"],
    ),
    "a strategies figure row that is coupled where it must not be": (
        "run.strategies.iid",
        "rsm-cgs",
        ["config: run.strategies.iid: 'rsm-cgs' is not sampled so; allowed: dit, minimax"],
    ),
    "a strategies figure with an unknown method beside": (
        "run.strategies.beside",
        ["nothing"],
        ["config: run.strategies.beside: 'nothing' is not known", "or `run.strategies: null`"],
    ),
    "a strategies figure with one of the three beside": (
        "run.strategies.beside",
        ["cgs", "rsm-greedy"],
        ["config: run.strategies.beside: 'rsm-greedy' is one of the three; leave it out"],
    ),
    "a strategies figure with a method beside itself": (
        "run.strategies.beside",
        ["cgs", "cgs"],
        ["config: run.strategies.beside: 'cgs' is given twice; allowed: each once"],
    ),
    "a strategies figure with more beside than there are colours": (
        "run.strategies.beside",
        ["cgs", "mgd3", "dit", "minimax"],
        ["config: run.strategies.beside: ", "has 4 entries; allowed: at most 3"],
    ),
    "a strategies figure with a method beside that is not run there": (
        "run.strategies.beside",
        ["dit-igd"],
        ["config: run.strategies.ipc: run.only leaves 'dit-igd' out at IPC 5"],
    ),
    "a strategies figure's iid of another prior": (
        "run.strategies.iid",
        "control",
        ["config: run.strategies.iid: 'control' is not the prior of 'rsm-cgs' without guidance"],
    ),
    "a strategies figure's iid with guidance": (
        "run.strategies.iid",
        "mgd3",
        ["config: run.strategies.iid: 'mgd3' is not the prior of 'rsm-cgs' without guidance"],
    ),
}


@pytest.mark.parametrize(("path", "value", "words"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_grid_that_cannot_be_computed_is_one_line_with_its_place(path, value, words):
    one_problem(changed(path, value), *words)


def test_a_method_beside_the_strategies_is_named_as_nothing_else_is_there(tmp_path):
    def edit(lines):
        return [*lines, "real\t\tbase\tiid\t\tA method of an odd name"]

    config = table(tmp_path, "methods", edit)
    config["run"]["methods"] = [*config["run"]["methods"], "real"]
    config["run"]["strategies"] = {**config["run"]["strategies"], "beside": ["real"]}
    one_problem(config, "config: run.strategies.beside: 'real' means something else there")


def test_strategies_rows_of_two_priors_differ_in_more_than_coupling():
    config = changed("run.strategies.joint", "cgs")
    lines = problems(config)
    assert any("'cgs' and 'rsm-greedy' differ in more than their coupling" in li for li in lines)


def test_strategies_rows_of_other_terms_differ_in_more_than_coupling():
    config = changed("run.strategies.sequential", "rsm-dpp-greedy")
    config["run"]["methods"].append("rsm-dpp-greedy")
    one_problem(
        config,
        "config: run.strategies: 'rsm-cgs' and 'rsm-dpp-greedy' differ in more than their coupling",
    )


@pytest.mark.parametrize(
    ("key", "method"), [("sweep", "rsm-cgs"), ("strategies", "rsm-greedy"), ("spectrum", "control")]
)
def test_a_figure_of_a_cell_that_only_leaves_out_is_refused(key, method):
    config = copy.deepcopy(SHIPPED)
    config["run"]["only"] = [{"methods": [method], "ipc": [1]}]
    for other in {"sweep", "strategies"} - {key}:
        config["run"][other] = None
    ipc = config["run"][key]["ipc"]
    one_problem(config, f"config: run.{key}.ipc: run.only leaves {method!r} out at IPC {ipc}")


def test_a_coreset_that_only_keeps_small_is_not_held_to_the_largest_ipc(tmp_path):
    def edit(lines):
        return [*lines, hyperparameters(lines[3], ipc=97)]

    config = without("rded", config=table(tmp_path, "hyperparameters", edit))
    config["run"]["ipc"] = [1, 5, 10, 97]
    names = ["random", "herding", "mgd3", "support-real", "support-none"]
    few = {"methods": names, "ipc": [1, 5, 10]}
    config["run"]["only"].append(few)
    load_study(config, ROOT)
    few["methods"] = ["random"]
    one_problem(config, "config: run.ipc: 97 is above the 96 real images", *names[1:])


def mosaics(ipc):
    """The shipped study of few methods, with one that takes pieces of four images, at some IPCs."""
    config = changed("run.methods", ["random", "dit", "rded"])
    compared = {**config["run"]["comparisons"], "pairs": []}
    own = {**config["run"], **LEFT_OUT, "comparisons": compared, "ipc": ipc}
    return {**config, "run": own}


def test_a_set_of_pieces_needs_four_images_of_a_class_for_each_of_its_own():
    load_study(mosaics([1, 24]), ROOT)
    one_problem(
        mosaics([1, 25]), "config: run.ipc: 25 takes 100 images a class, which is above the 96"
    )


def test_a_set_of_pieces_must_draw_as_many_images_as_it_takes():
    config = changed("coresets.rded.images", 40, mosaics([1, 10, 20]))
    one_problem(
        config,
        "config: coresets.rded.images: 40 of a class are drawn, and IPC 20 of 'rded' is made of 80",
        "allowed: 80 or more",
    )
    load_study(changed("run.only", [{"methods": ["rded"], "ipc": [1, 10]}], config), ROOT)


def test_a_method_that_chooses_by_a_classifier_needs_one_in_each_dataset():
    config = changed("datasets.digits.classifier", None, mosaics([1]))
    one_problem(config, "config: datasets.digits: 'classifier' is missing (rded needs it)")
    load_study(changed("run.methods", ["random", "dit"], config), ROOT)


def test_options_of_a_coreset_are_its_own_where_a_config_leaves_them_out():
    config = changed("coresets", None)
    assert load_study(config, ROOT).config["coresets"] == SHIPPED["coresets"]
    one = load_study({**config, "coresets": {"rded": {"crops": 1}}}, ROOT)
    assert one.config["coresets"]["rded"] == {"images": 300, "crops": 1}


def test_a_set_cannot_start_at_images_that_are_put_together(tmp_path):
    def edit(lines):
        return [*lines, "own\t\tbase\tiid\t\tOwn\trded"]

    one_problem(
        table(tmp_path, "methods", edit),
        "own: start 'rded' composes images, which have no latents beforehand",
        "allowed: random, support",
    )


def test_guided_steps_that_hold_one_of_the_samplers_are_allowed():
    load_study(changed("guidance.mode.steps", [624, 625]), ROOT)


def test_a_set_that_starts_below_all_guided_steps_is_refused():
    config = changed("guidance.support.steps", [612, 918])
    config["run"]["methods"].append("support-started")
    one_problem(
        config,
        "config: datasets.digits.sampler.start_step: 600 is not above a step at which 'support'",
        "(612 to 917), and 'support-started' would not be guided",
    )
    config["datasets"]["digits"]["sampler"]["start_step"] = 700
    load_study(config, ROOT)


def test_the_steps_of_a_term_that_no_method_has_are_not_checked():
    config = changed("guidance.mode.steps", [613, 632])
    config["run"]["methods"].remove("mgd3")
    load_study(config, ROOT)


def test_a_lambda_that_a_prior_fixes_can_be_swept():
    config = copy.deepcopy(SHIPPED)
    config["priors"]["rsm"]["lambda"] = 0
    config["run"]["sweep"]["values"]["lambda"] = [0, 0.02, 0.08]
    assert len(load_study(config, ROOT).sweep_cells("digits", "lambda")) == 3


def test_a_method_of_the_ablation_alone_needs_its_hyperparameters_and_its_surrogate(tmp_path):
    def edit(lines):
        return [lines[0], *(hyperparameters(line, k_influence="") for line in lines[1:])]

    config = table(tmp_path, "hyperparameters", edit)
    config["run"]["methods"] = [m for m in config["run"]["methods"] if not m.endswith("-igd")]
    config["run"]["only"] = []
    load_study(config, ROOT)
    config["run"]["ablation"]["methods"].append("dit-igd")
    one_problem(config, "dataset 'digits', IPC 5: no k_influence, which dit-igd needs")
    config = changed("datasets.digits.surrogate", None)
    config["run"].update(methods=[m for m in config["run"]["methods"] if not m.endswith("-igd")])
    config["run"]["only"] = []
    load_study(config, ROOT)
    config["run"]["ablation"]["methods"].append("dit-igd")
    one_problem(config, "config: datasets.digits: 'surrogate' is missing (dit-igd needs it)")


def test_a_part_of_the_study_that_is_left_out_is_not_checked():
    config = copy.deepcopy(SHIPPED)
    config["run"]["methods"] = ["random", "dit", "control", "rsm"]
    config["run"].update(only=[], ablation=None, sweep=None, strategies=None)
    load_study(config, ROOT)
    # Pairs are of the method table, so that one list serves several studies.
    assert ["rsm-cgs", "rsm-greedy"] in config["run"]["comparisons"]["pairs"]


def test_phases_of_a_prior_that_no_method_uses_are_of_any_size():
    unused = {**SHIPPED["priors"]["minimax"], "tuning": {"classes_per_phase": 10}}
    load_study(changed("priors.unused", unused), ROOT)


def test_a_sweep_over_steps_of_which_none_is_guided_is_refused():
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"].update(method="mgd3", values={"sampler.steps": [2, 10]})
    config["guidance"]["mode"]["steps"] = [511, 600]
    one_problem(
        config, "config: run.sweep.values.sampler.steps: of 2 steps none", "511 to 599", "'mode'"
    )
