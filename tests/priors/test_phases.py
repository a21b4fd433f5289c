"""Priors in phases: each is what a tuning on its classes alone makes of the base."""

import numpy as np
import pytest

from lighthouse.datasets.latents import (
    HELD_OUT,
    LATENTS,
    Latents,
    of_classes,
    read_held_out,
)
from lighthouse.diffusion.denoiser import load_denoiser, save_denoiser
from lighthouse.priors.held_out import held_out_loss
from lighthouse.priors.objectives import make_objective
from lighthouse.priors.training import train_prior
from lighthouse.runtime.files import read_json, write_arrays
from toy import CHANNELS, CLASSES, DIM, SIDE, toy_denoiser, write_latents
from trainings import OPTIONS

MAKE = "lighthouse.priors.minimax:make_minimax"
OF_MINIMAX = {"positive": 0.002, "negative": 0.008, "memory": 4}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Real latents of three classes, and a base."""
    folder = tmp_path_factory.mktemp("given")
    drawn = np.random.default_rng(0).normal(size=(30, DIM)).astype(np.float32)
    labels = np.arange(24) % len(CLASSES)
    write_latents(folder / "latents", drawn[:24], labels)
    np.save(folder / "latents" / LATENTS, drawn[:24].reshape(24, 1, CHANNELS, SIDE, SIDE))
    held_out = {"latents": drawn[24:].reshape(6, CHANNELS, SIDE, SIDE), "labels": labels[:6]}
    write_arrays(folder / "latents" / HELD_OUT, held_out, {})
    save_denoiser(toy_denoiser(), folder / "base", {})
    return folder


def tuned(run_script, given, folder, classes):
    """Run the rule's script; the tuned weights and the record."""
    outputs = {"model": folder / "prior", "cost": folder / "cost.json"}
    params = {
        "objective": "minimax",
        "make": MAKE,
        "objective_options": OF_MINIMAX,
        "training": OPTIONS,
        "classes": classes,
        "seed": 0,
        "asked": "a digest",
        "gpus": 1,
        "launch": "plain",
    }
    inputs = {"latents": given / "latents", "base": given / "base"}
    run_script("prior", inputs, outputs, params, dataset="toy")
    assert read_json(outputs["cost"])["asked"] == params["asked"]
    return load_denoiser(outputs["model"]).state_dict(), read_json(
        outputs["model"] / "lighthouse.json"
    )


@pytest.mark.parametrize("classes", [[0, 1], [2]])
def test_a_phase_is_tuned_on_its_classes_alone_from_the_base(run_script, given, tmp_path, classes):
    found, record = tuned(run_script, given, tmp_path, classes)
    data = Latents(given / "latents")
    rows = [i for i, label in enumerate(data.labels) if label in classes]
    model, _ = train_prior(
        load_denoiser(given / "base"),
        np.array(data.latents[rows]),
        data.labels[rows],
        make_objective(MAKE, OF_MINIMAX, data.class_means),
        {**OPTIONS, "objective": "minimax", **OF_MINIMAX},
        0,
        checkpoint=tmp_path / "checkpoint",
    )
    for name, weight in model.state_dict().items():
        assert np.array_equal(found[name], weight), name
    assert record["tuned_on"] == [CLASSES[label] for label in classes]
    held_out = of_classes(*read_held_out(given / "latents"), classes)
    assert len(held_out[1]) == 2 * len(classes)
    assert record["losses"]["held_out"] == pytest.approx(held_out_loss(model, *held_out), rel=1e-5)
    everything, record = tuned(run_script, given, tmp_path / "all", None)
    assert any(not np.array_equal(found[name], everything[name]) for name in found)
    assert "tuned_on" not in record


def test_latents_of_some_classes_are_those_in_their_order():
    latents, labels = np.arange(5)[:, None], np.array([2, 0, 1, 0, 2])
    found = of_classes(latents, labels, [2, 0])
    assert [part.ravel().tolist() for part in found] == [[0, 1, 3, 4], [2, 0, 0, 2]]
    assert of_classes(latents, labels, None)[0] is latents
