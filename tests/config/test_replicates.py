"""Which sets a replicate has, what is trained in each, and which mistakes in them are told."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from lighthouse.config import paths, stamps
from lighthouse.config.grid import BASE, Cell
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED, changed, one_problem

CELL = Cell("digits", "rsm", 5)


def with_seeds(seeds):
    return load_study(changed("run.seeds", seeds), ROOT)


def test_a_replicate_is_named_by_the_first_of_its_sets():
    study = with_seeds([[4, 100], [2, 101]])
    assert study.replicates == {4: [4, 100], 2: [2, 101]}
    assert study.set_seeds == study.seeds(CELL) == [4, 100, 2, 101]
    assert study.replicate_of == {4: 4, 100: 4, 2: 2, 101: 2}


def test_a_seed_by_itself_is_a_replicate_of_one_set():
    one, listed = with_seeds([0, 3]), with_seeds([[0], [3]])
    assert one.replicates == listed.replicates == {0: [0], 3: [3]}
    assert stamps.samples(one, CELL) == stamps.samples(listed, CELL)


MISTAKES = {
    "a set of two replicates": ([[0, 5], [1, 5]], "run.seeds: 5 is the seed of two sets; allowed:"),
    "a replicate of fewer sets": (
        [[0, 5], 1],
        "run.seeds: replicates of 1 and of 2 sets; allowed: as many sets in each",
    ),
}


@pytest.mark.parametrize(("seeds", "words"), MISTAKES.values(), ids=list(MISTAKES))
def test_replicates_that_do_not_fit_each_other_are_told(seeds, words):
    one_problem(changed("run.seeds", seeds), words)


def test_the_same_sets_divided_otherwise_are_other_sets():
    divided = with_seeds([[0, 1], [2, 3]])
    for cell, same in ((CELL, False), (Cell("digits", "random", 5), True)):
        other = with_seeds([0, 1, 2, 3])
        assert (stamps.samples(divided, cell) == stamps.samples(other, cell)) == same


def paper():
    """The paper's study, whose base is DiT's own weights."""
    config = copy.deepcopy(SHIPPED)
    update_config(config, yaml.safe_load((ROOT / "config" / "paper.yaml").read_text("utf-8")))
    return load_study(config, ROOT)


def test_a_base_that_is_taken_as_it_is_is_shared_and_all_that_is_trained_is_not():
    for study, base in ((paper(), "base"), (with_seeds([3]), "replicate~3/base")):
        (dataset, *_) = study.run["datasets"]
        tuned = study.prior(Cell(dataset, "minimax", 10))
        own = [study.prior_replicate(dataset, prior, 3) for prior in (BASE, tuned)]
        assert paths.prior(dataset, BASE.path, own[0]) == f"results/priors/{dataset}/{base}"
        assert paths.prior(dataset, tuned.path, own[1]).startswith(
            f"results/priors/{dataset}/replicate~3/minimax/"
        )
