"""Any number of a method can be swept: it moves, all else stays, and nothing shares a path."""

import copy

import pytest

from lighthouse.config import stamps
from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED

#: Numbers of every kind that a method has: name, values, and where the study shows them.
KINDS = {
    "learning_rate": ("rsm-cgs", [0.01], lambda study, cell: study.prior(cell).learning_rate),
    "dpp.epsilon": ("rsm-cgs", [0.1], lambda s, cell: s.terms(cell)[0]["options"]["epsilon"]),
    "sampler.steps": ("rsm-cgs", [10, 20], lambda study, cell: study.sampler(cell)["steps"]),
    "sampler.guidance_scale": ("mgd3", [1], lambda s, cell: s.sampler(cell)["guidance_scale"]),
    "mode_scale": ("mgd3", [0, 0.5], lambda s, cell: s.term_weights(cell)["mode_scale"]),
    "minimax.memory": ("minimax", [8], lambda s, cell: s.prior(cell).options["memory"]),
}


@pytest.mark.parametrize("name", KINDS)
def test_any_number_of_a_method_can_be_swept(name):
    method, values, shown = KINDS[name]
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"].update(method=method, values={name: values})
    study = load_study(config, ROOT)
    points = study.sweep_points("digits", name)
    assert len(points) == len(values) + 1
    assert {value: shown(study, cell) for value, cell in points.items()} == {v: v for v in points}
    # All else is as in the table's own cell, and the paths are apart.
    table = Cell("digits", method, 5)
    others = {**study.hyperparameters_of(table), **study.sampler(table)}
    others.pop(name.removeprefix("sampler."), None)
    for cell in points.values():
        assert others.items() <= {**study.hyperparameters_of(cell), **study.sampler(cell)}.items()
    assert len({stamps.samples(study, cell) for cell in points.values()}) == len(points)


def test_a_number_that_is_written_whole_is_moved_to_fractions():
    config = copy.deepcopy(SHIPPED)
    config["datasets"]["digits"]["sampler"]["guidance_scale"] = 2
    config["priors"]["minimax"]["positive"] = 1
    values = {"sampler.guidance_scale": [1.5], "minimax.positive": [0.5], "minimax.memory": [8]}
    config["run"]["sweep"].update(method="minimax", values=values)
    study = load_study(config, ROOT)
    moved = {name: study.sweep_points("digits", name)[v] for name, (v,) in values.items()}
    assert study.sampler(moved["sampler.guidance_scale"])["guidance_scale"] == 1.5
    assert study.prior(moved["minimax.positive"]).options["positive"] == 0.5
    memory = study.prior(moved["minimax.memory"]).options["memory"]
    assert (memory, type(memory)) == (8, int)


def test_an_option_of_an_objective_has_a_prior_of_its_own():
    config = copy.deepcopy(SHIPPED)
    config["run"]["sweep"].update(method="minimax", values={"minimax.memory": [8]})
    study = load_study(config, ROOT)
    paths = [study.prior(c).path for c in study.sweep_cells("digits", "minimax.memory")]
    assert paths == ["minimax/lr~0.001,minimax.memory~8", "minimax/lr~0.001"]
