"""A job that samples goes over the replicates, each with its own prior."""

import sys
import weakref

import numpy as np
import pytest
import torch

from lighthouse.diffusion import denoiser, loading, sampler
from lighthouse.diffusion.autoencoder import new_autoencoder
from lighthouse.diffusion.denoiser import new_denoiser, save_denoiser
from lighthouse.diffusion.loading import WEIGHTS, bytes_of, save_model
from lighthouse.runtime.files import (
    read_about,
    read_arrays,
    read_json,
    write_json,
    write_tensors,
)
from sampling import DIT, at_work, relative
from toy import CHANNELS, CLASSES, DIM, SIDE, redrawn, write_latents

DENOISER = {"layers": 1, "heads": 2, "head_dim": 8, "patch_size": 2, "learned_variance": True}
AUTOENCODER = {
    "block_out_channels": [4, 4],
    "latent_channels": CHANNELS,
    "layers_per_block": 1,
    "norm_num_groups": 2,
}
CELL = {
    "method": "m",
    "ipc": 2,
    "stamp": "s",
    "code": "c",
    "coupling": "joint",
    "start": None,
    "terms": at_work(eta_dpp=100.0, mu_dm=1000.0),
    "sampler": {**DIT, "steps": 3},
    "launch": "graphs",
    "guided_by_surrogate": False,
    "selection": None,
    "loads": [],
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Real latents, an autoencoder, and the priors of replicates 0 and 1, which differ."""
    folder = tmp_path_factory.mktemp("models")
    latents = np.random.default_rng(0).normal(size=(12, DIM))
    write_latents(folder / "latents", latents, np.arange(12) % len(CLASSES))
    torch.manual_seed(0)
    save_model(new_autoencoder(AUTOENCODER, 2 * SIDE), folder / "autoencoder", {})
    for seed in (0, 1):
        model = redrawn(new_denoiser(DENOISER, CHANNELS, SIDE, len(CLASSES)), 0.2, seed)
        save_denoiser(model, folder / f"prior{seed}", {"seed": seed})
    return folder


def make(run_script, models, folder, replicates, priors=None, params=None, look=(), **cell):
    """The cell's sets as arrays by kind, the record, and what the files say of themselves.

    priors: names of those to sample from. params: of the rule, beside those that are given here.
    """
    names = replicates if priors is None else priors
    inputs = {
        "latents": models / "latents",
        "autoencoder": models / "autoencoder",
        "priors": [models / f"prior{name}" for name in names],
        "surrogates": [],
        "classifier": [],
        "extractor": look,
        "features": look,
    }
    files = {kind: folder / f"{kind}.safetensors" for kind in ("latents", "images")}
    given = {**CELL, **files, "record": folder / "record.json", **cell}
    params = {
        "cells": [{**given, "files": list(files.values())}],
        "replicates": replicates,
        "classes": None,
        "phases": [[0, 1, 2]],
        "checkpoint_seconds": 0,  # each replicate's sets are kept when they are made
        **(params or {}),
    }
    run_script("sample", inputs, {"record": folder / "batch.json"}, params, dataset="toy")
    arrays = {kind: read_arrays(path) for kind, path in files.items()}
    return arrays, read_json(given["record"]), read_about(files["latents"])


@pytest.fixture(scope="module")
def both(run_script, models, tmp_path_factory):
    return make(run_script, models, tmp_path_factory.mktemp("both"), {0: [0, 5], 1: [1, 6]})


def test_a_cell_that_is_cut_short_keeps_the_sets_of_the_replicates_that_it_has(
    run_script, models, both, tmp_path, monkeypatch
):
    sample, begun = sampler.sample, []

    def cut(*given):
        begun.append(given)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return sample(*given)

    monkeypatch.setattr(sampler, "sample", cut)
    with pytest.raises(KeyboardInterrupt):
        make(run_script, models, tmp_path, {0: [0, 5], 1: [1, 6]})
    found = make(run_script, models, tmp_path, {0: [0, 5], 1: [1, 6]})
    assert len(begun) == 3  # the first replicate's sets once
    for kind, sets in both[0].items():
        assert all((found[0][kind][name] == array).all() for name, array in sets.items())
    assert found[2].keys() == both[2].keys()
    own = [part["denoiser"] for part in found[1]["replicates"]]
    assert own == [part["denoiser"] for part in both[1]["replicates"]]
    assert found[1]["denoiser"] == both[1]["denoiser"]
    assert {path.name for path in tmp_path.iterdir()} == {
        *("batch.json", "record.json", "latents.safetensors", "images.safetensors"),
    }


def test_what_a_record_says_of_libraries_does_not_depend_on_where_a_job_goes_on(
    run_script, models, tmp_path, monkeypatch
):
    run, loaded = {0: [0]}, ["lighthouse.guidance.mode:mode"]
    make(run_script, models, tmp_path, run, loads=loaded)
    monkeypatch.delitem(sys.modules, "lighthouse.guidance.mode")
    make(run_script, models, tmp_path, run, loads=loaded)  # with nothing left to be done
    assert "lighthouse.guidance.mode" in sys.modules


def test_a_sets_bytes_do_not_depend_on_other_replicates_or_sets(run_script, models, both, tmp_path):
    alone, *_ = make(run_script, models, tmp_path, {1: [1]})
    for kind, sets in alone.items():
        assert list(sets) == ["seed~1"]
        assert set(both[0][kind]) == {f"seed~{seed}" for seed in (0, 5, 1, 6)}
        np.testing.assert_array_equal(sets["seed~1"], both[0][kind]["seed~1"])


def test_a_replicate_samples_from_its_own_prior(run_script, models, both, tmp_path):
    (swapped, *_) = make(run_script, models, tmp_path, {0: [0], 1: [1]}, priors=(1, 0))
    for seed in (0, 1):
        one, other = (of["latents"][f"seed~{seed}"] for of in (swapped, both[0]))
        assert np.abs(one - other).max() > 1e-3


def test_replicates_may_share_one_prior(run_script, models, both, tmp_path):
    (shared, *_) = make(run_script, models, tmp_path, {0: [0], 1: [1]}, priors=(0, 0))
    np.testing.assert_array_equal(shared["latents"]["seed~0"], both[0]["latents"]["seed~0"])
    assert not np.array_equal(shared["latents"]["seed~1"], both[0]["latents"]["seed~1"])


def test_a_cell_is_sampled_at_the_guidance_scale_that_was_chosen(run_script, models, tmp_path):
    chosen = tmp_path / "choice.json"
    write_json(chosen, {"weights": {"guidance_scale": 1.0}, "made": "x"})
    own, open_ = ({**CELL["sampler"], "guidance_scale": scale} for scale in (1.0, None))
    given, *_ = make(run_script, models, made(tmp_path, "own"), {0: [0]}, sampler=own)
    of_choice = {"sampler": open_, "scale": chosen, "sources": [chosen]}
    found, record, _ = make(run_script, models, made(tmp_path, "chosen"), {0: [0]}, **of_choice)
    for kind, sets in given.items():
        np.testing.assert_array_equal(sets["seed~0"], found[kind]["seed~0"])
    assert record["options"]["sampler"]["guidance_scale"] == 1.0
    clipped, pixels = record["held"]["pixels_clipped"], found["images"]["seed~0"].size
    assert 0 <= clipped["held"] <= clipped["of"] == pixels
    # One pass a step: at 1 nothing is asked without a class.
    assert record["denoiser"]["evaluations"] == 3 * 2 * len(CLASSES)


def made(folder, name):
    """A new folder."""
    (folder / name).mkdir()
    return folder / name


@pytest.mark.parametrize(("size", "expected"), [(2**28, [0, 0, 0]), (1000, [0, 1])])
def test_of_large_denoisers_no_two_are_held_at_once_and_small_ones_are_loaded_once(
    run_script, models, tmp_path, monkeypatch, size, expected
):
    loaded, beside = [], []

    def spy(folder, device, load=denoiser.load_denoiser):
        beside.append(sum(model() is not None for model in loaded))
        model = load(folder, device)
        loaded.append(weakref.ref(model))
        return model

    monkeypatch.setattr(denoiser, "load_denoiser", spy)
    monkeypatch.setattr(loading, "bytes_of", lambda folder: size)
    make(run_script, models, tmp_path, {0: [0], 1: [1], 2: [2]}, priors=(0, 1, 0))
    assert beside == expected


def test_a_models_bytes_are_those_of_its_weights(models, tmp_path):
    assert bytes_of(models / "prior0") == (models / "prior0" / WEIGHTS[0]).stat().st_size > 1000
    assert bytes_of(tmp_path) == 0


def test_the_record_says_what_each_replicate_took(both):
    _, record, about = both
    assert [part["replicate"] for part in record["replicates"]] == [0, 1]
    # Two sets of two images in each of three classes.
    assert [part["images"] for part in record["replicates"]] == [12, 12]
    assert record["images"] == 24
    parts = [part["seconds"] for part in record["replicates"]]
    assert min(parts) > 0
    assert record["seconds"] == pytest.approx(sum(parts))
    works = [part["denoiser"] for part in record["replicates"]]
    assert works[0]["evaluations"] == works[1]["evaluations"] == 12 * 2 * 3
    # As asked for, on a GPU.
    assert record["launch"] == ("graphs" if torch.cuda.is_available() else "plain")
    assert record["denoiser"] == {name: works[0][name] + works[1][name] for name in works[0]}
    assert {seed: of["seed"] for seed, of in about["priors"].items()} == {"0": 0, "1": 1}


def test_candidates_sets_are_of_the_first_replicate_alone(run_script, models, both, tmp_path):
    tried, record, about = make(run_script, models, tmp_path, {0: [5]})
    np.testing.assert_array_equal(tried["latents"]["seed~5"], both[0]["latents"]["seed~5"])
    assert list(about["priors"]) == ["0"]
    assert record["images"] == 6


# Cells that keep some of the images that they sample.


def colours_by(path, device):
    """What an extractor would be loaded by."""
    return lambda images: images.float().mean((-2, -1)).numpy()


SELECTION = {
    "name": "subgroup",
    "choose": "lighthouse.selection.subgroup:subgroup",
    "options": {"nearness": 0.4, "spread": 0.9, "rounds": 5},
    "times": 3,
    "looks": {"features": f"{__name__}:colours_by"},
}


#: What rounding makes of a latent and of a pixel.
TINY = {"latents": 1e-3, "images": 1}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """A file of real images' features."""
    path = tmp_path_factory.mktemp("features") / "features.safetensors"
    labels = np.arange(12) % len(CLASSES)
    held = {"features": 9 * labels[:, None] + np.arange(3.0) + 1, "labels": labels}
    write_tensors(path, held, {"classes": list(CLASSES)})
    return path


@pytest.fixture(scope="module")
def selected(run_script, models, features, tmp_path_factory):
    """Sets of two replicates, each the best of three of each class."""
    folder, run = tmp_path_factory.mktemp("selected"), {0: [0, 5], 1: [1]}
    return make(run_script, models, folder, run, look=[features], selection=SELECTION)


def test_the_set_that_is_kept_is_one_of_those_that_are_sampled_alone(selected, both):
    arrays, record, _ = selected
    groups = 0
    for seed in (0, 1, 5):
        kept = record["kept"][f"seed~{seed}"]
        assert arrays["images"][f"seed~{seed}"].shape[:2] == (len(CLASSES), 2)
        for label, positions in enumerate(kept):
            assert positions in ([0, 1], [2, 3], [4, 5])
            first = both[0]["images"][f"seed~{seed}"][label]  # what a plain row samples
            own = arrays["images"][f"seed~{seed}"][label]
            assert np.array_equal(own, first) == (positions == [0, 1])
            groups += positions != [0, 1]
    assert 0 < groups < 9


def test_costs_are_by_image_kept_and_of_all_that_were_sampled(selected, both):
    record, plain = selected[1], both[1]
    assert record["images"] == 3 * len(CLASSES) * 2
    per_image = [of["denoiser"]["evaluations"] / of["images"] for of in (record, plain)]
    assert per_image[0] == SELECTION["times"] * per_image[1]
    assert sum(part["images"] for part in record["replicates"]) == record["images"]


def test_pools_of_shards_are_chosen_of_when_they_are_gathered_as_of_the_whole(
    run_script, models, features, selected, tmp_path
):
    arrays, record, _ = selected
    shards = [made(tmp_path, name) for name in ("first", "rest")]
    for folder, classes in zip(shards, ([0], [1, 2]), strict=True):
        seen = {"seen": folder / "seen.safetensors", "look": [features]}
        seen |= {"params": {"classes": classes}, "selection": SELECTION}
        make(run_script, models, folder, {0: [0, 5], 1: [1]}, **seen)
    whole = made(tmp_path, "whole")
    files = {kind: whole / f"{kind}.safetensors" for kind in ("latents", "images")}
    cell = {"ipc": 2, "stamp": "s", "code": "c", "seeds": [0, 5, 1], "selection": SELECTION}
    cell |= {"shards": shards, "sources": [folder / "record.json" for folder in shards]}
    cell |= {**files, "record": whole / "record.json", "files": list(files.values())}
    inputs = {"latents": models / "latents", "features": [features]}
    outputs, params = {"record": whole / "batch.json"}, {"cells": [cell]}
    run_script("gather", inputs, outputs, params, dataset="toy")
    for kind, path in files.items():
        found = read_arrays(path)
        assert found.keys() == arrays[kind].keys()
        for name, of in arrays[kind].items():  # of so few rows the last bits may differ
            np.testing.assert_allclose(found[name].astype(float), of, atol=TINY[kind])
    gathered = read_json(whole / "record.json")
    for key in ("kept", "images", "denoiser"):
        assert gathered[key] == record[key]
    assert not any((folder / "seen.safetensors").exists() for folder in shards)


# Priors in phases: each of some classes alone.


@pytest.mark.parametrize("classes", [None, [1], [1, 2]])
def test_a_class_is_sampled_from_the_prior_of_its_phase(
    run_script, models, both, tmp_path, classes
):
    phases = {"phases": [[0, 1], [2]], "classes": classes}
    chosen = classes or [0, 1, 2]
    runs = {0: [0, 5], 1: [1, 6]}
    # The first phase's prior is the replicate's own in ``both``, the second's the other one's.
    names = [0, 1, 1, 0]
    found, record, about = make(run_script, models, tmp_path / "phases", runs, names, phases)
    other, *_ = make(run_script, models, tmp_path / "other", runs, [1, 0])
    for name in both[0]["latents"]:
        own, its = both[0]["latents"][name], other["latents"][name]
        assert relative(torch.tensor(own), torch.tensor(its)) > 0.1
        wanted = np.stack([(its if label == 2 else own)[label] for label in chosen])
        # Of other classes beside it, another rounding.
        np.testing.assert_allclose(found["latents"][name], wanted, rtol=1e-4, atol=1e-3)
    assert about["classes"] == [CLASSES[label] for label in chosen]
    assert [[own["seed"] for own in about["priors"][seed]] for seed in "01"] == [[0, 1], [1, 0]]
    whole = both[1]["denoiser"]["evaluations"]
    assert record["denoiser"]["evaluations"] == whole * len(chosen) // 3
