"""The table of priors: each training by its record, and its images by their cell."""

import pytest

from lighthouse.report.priors import COLUMNS, priors_table

CELL = {"dataset": "toy", "method": "dit", "ipc": 5, "variant": "table"}
ROWS = [
    {"dataset": "toy", "prior": "base", "replicate": 0, "cost": "b.json", "sampled": CELL},
    {
        "dataset": "toy",
        "prior": "rsm/lambda~1/lr~1",
        "replicate": 0,
        "cost": "r.json",
        "sampled": None,
    },
]
OWN = {**CELL, "replicate": 0, "status": "measured"}
DIVERSITY = [
    {**OWN, "seed": 0, "coverage": 0.25, "precision": 0.5},
    {**OWN, "seed": 5, "coverage": 0.75, "precision": 1.0},
    {**OWN, "ipc": 1, "seed": 0, "coverage": 0.0, "precision": 0.0},
    {**OWN, "replicate": 1, "seed": 1, "coverage": 0.0, "precision": 0.0},
]


def record(held_out):
    losses = {"noise": 0.125, "l1": 0.5, "held_out": held_out}
    work = {"trainable_parameters": 7, "steps": 3, "ended_by": "steps", "seconds": 1.5}
    return {**work, "losses": losses}


def made(records, diversity=DIVERSITY):
    table = priors_table(records, diversity, ROWS)["table"]
    assert tuple(table.columns) == COLUMNS
    return table.rows


def test_a_prior_has_what_its_training_took_and_the_measures_of_its_own_images():
    base, tuned = made([record(0.25), record(None)])
    assert {name: base[name] for name in CELL} == CELL
    assert (base["trainable_parameters"], base["steps"], base["seconds"]) == (7, 3, 1.5)
    assert base["ended_by"] == "steps"
    assert (base["training_loss"], base["held_out_loss"]) == (0.125, 0.25)
    assert (base["coverage"], base["precision"]) == (0.5, 0.75)
    empty = ("held_out_loss", "method", "ipc", "variant", "coverage", "precision")
    assert all(tuned[name] != tuned[name] for name in empty)
    assert (tuned["prior"], tuned["status"]) == ("rsm/lambda~1/lr~1", "measured")


def test_a_prior_whose_training_failed_is_missing():
    base, tuned = made([None, record(0.25)])
    assert (base["prior"], base["status"]) == ("base", "missing")
    assert base["seconds"] != base["seconds"]
    assert tuned["status"] == "measured"


@pytest.mark.parametrize("lost", [[], [{**DIVERSITY[0], "coverage": "", "status": "missing"}]])
def test_a_prior_whose_images_failed_has_its_training_alone(lost):
    base, _ = made([record(0.25), record(0.25)], lost)
    assert base["seconds"] == 1.5
    assert base["coverage"] != base["coverage"]
