"""Shards put together: the classes in their order, none twice, none from another run."""

import numpy as np
import pytest

from lighthouse.diffusion.shards import gather, gather_costs
from lighthouse.runtime.files import (
    read_about,
    read_arrays,
    read_json,
    write_json,
    write_tensors,
)

CLASSES = ["ant", "bee", "cat"]


def shard(folder, name, first, classes, **about):
    """A file of two seeds whose numbers are those of its classes."""
    rows = np.arange(first, first + len(classes))[:, None, None] + np.zeros((1, 2, 3))
    record = {"classes": classes, "options": {"steps": 5}, **about}
    write_tensors(folder / name, {"seed~0": rows, "seed~4": rows + 10}, record)
    return folder / name


def test_classes_lie_behind_each_other_under_every_seed(tmp_path):
    shards = [shard(tmp_path, "0", 0, CLASSES[:2]), shard(tmp_path, "1", 2, CLASSES[2:])]
    gather(shards, tmp_path / "all", CLASSES)
    found = read_arrays(tmp_path / "all")
    assert found.keys() == {"seed~0", "seed~4"}
    assert found["seed~0"].shape == (3, 2, 3)
    assert found["seed~4"][:, 0, 0].tolist() == [10, 11, 12]
    assert read_about(tmp_path / "all") == {"classes": CLASSES, "options": {"steps": 5}}


def test_of_pools_those_of_each_class_that_are_kept_are_written(tmp_path):
    shards = [shard(tmp_path, "0", 0, CLASSES[:1]), shard(tmp_path, "1", 1, CLASSES[1:])]
    pool = np.arange(3 * 2).reshape(3, 2)
    for i, (path, rows) in enumerate(zip(shards, (pool[:1], pool[1:]), strict=True)):
        about = {"classes": CLASSES[:1] if i == 0 else CLASSES[1:]}
        write_tensors(path, {"seed~0": rows}, about)
    kept = {"seed~0": np.array([[1], [0], [1]])}
    gather(shards, tmp_path / "all", CLASSES, kept)
    assert read_arrays(tmp_path / "all")["seed~0"].tolist() == [[1], [2], [5]]


def test_what_choosing_took_is_in_the_costs_of_all_replicates_alike():
    cost = {"seconds": 2.0, "images": 4, "denoiser": {"calls": 7}, "held": {}}
    whole = {**cost, "replicates": [cost, cost], "peak_host_bytes": 1, "peak_device_bytes": None}
    found = gather_costs([whole, whole], choosing=3.0)
    assert found["seconds"] == 2 * 2.0 + 3.0
    assert [part["seconds"] for part in found["replicates"]] == [5.5, 5.5]


def test_what_was_held_within_bounds_is_counted_in_all_shards():
    one = {"seconds": 1.0, "images": 1, "denoiser": {}}
    one |= {"peak_host_bytes": None, "peak_device_bytes": None, "replicates": [dict(one)]}
    held = [
        {"pixels_clipped": {"held": 3, "of": 10}},
        {"pixels_clipped": {"held": 4, "of": 20}, "gradients_clipped": {"held": 1, "of": 2}},
    ]
    assert gather_costs([{**one, "held": counts} for counts in held])["held"] == {
        "gradients_clipped": {"held": 1, "of": 2},
        "pixels_clipped": {"held": 7, "of": 30},
    }


@pytest.mark.parametrize(
    ("parts", "odd"),
    [
        ([["ant"], ["bee"]], "cat"),
        ([["ant", "bee"], ["bee", "cat"]], "twice"),
        ([["cat"], ["ant", "bee"]], "another order"),
        ([["ant", "bee"], ["cat", "dog"]], "dog"),
    ],
)
def test_classes_that_are_not_the_datasets_are_refused(tmp_path, parts, odd):
    shards = [shard(tmp_path, str(i), 0, part) for i, part in enumerate(parts)]
    with pytest.raises(ValueError, match=odd):
        gather(shards, tmp_path / "all", CLASSES)
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("about", "key"), [({"options": {"steps": 6}}, "options"), ({"prior": "other"}, "prior")]
)
def test_a_shard_of_another_run_is_named(tmp_path, about, key):
    shards = [
        shard(tmp_path, "0", 0, CLASSES[:2]),
        shard(tmp_path, "odd", 2, CLASSES[2:], **about),
    ]
    with pytest.raises(ValueError, match=rf"odd was made in another way .* \({key}\)"):
        gather(shards, tmp_path / "all", CLASSES)


# The rule's script.


def shards_of(folder, name, costs=(2.0, 3.0), **about):
    """A cell of two shards, as the rule gives it, with their files and records."""
    shards = [folder / "shards" / str(i) / name for i in range(2)]
    for i, (place, seconds) in enumerate(zip(shards, costs, strict=True)):
        place.mkdir(parents=True)
        other = about if i else {}
        for kind in ("latents", "images"):
            named = f"{kind}.safetensors"
            shard(place, named, 2 * i, CLASSES[:2] if i == 0 else CLASSES[2:], **other)
        cost = {"seconds": seconds, "images": 4, "denoiser": {"calls": 7}}
        cost |= {"replicates": [{"replicate": 4, **cost}], "held": {}}
        peaks = {"peak_host_bytes": 10 * (i + 1), "peak_device_bytes": None}
        write_json(place / "record.json", {**cost, **peaks, "made": f"{name} {i}"})
    files = {kind: folder / name / f"{kind}.safetensors" for kind in ("latents", "images")}
    record = {"record": folder / name / "record.json", "stamp": f"stamp of {name}"}
    sources = [place / "record.json" for place in shards]
    return {**files, **record, "shards": shards, "sources": sources, "selection": None}


def test_the_script_gathers_each_cell_and_leaves_the_records_of_its_shards(tmp_path, run_script):
    write_tensors(tmp_path / "means.safetensors", {"a": np.zeros(1)}, {"classes": CLASSES})
    cells = [shards_of(tmp_path, "one"), shards_of(tmp_path, "odd", prior="another")]
    run_script(
        "gather",
        {"latents": tmp_path, "features": []},
        {"record": tmp_path / "batch.json"},
        {"cells": cells, "code": "c"},
        dataset="toy",
    )
    one, odd = cells
    assert read_about(one["images"])["classes"] == CLASSES
    assert read_arrays(one["latents"])["seed~4"][:, 0, 0].tolist() == [10, 11, 12]
    record, batch = read_json(one["record"]), read_json(tmp_path / "batch.json")
    assert (record["seconds"], record["images"], record["denoiser"]) == (5.0, 8, {"calls": 14})
    assert record["replicates"] == [
        {"replicate": 4, "seconds": 5.0, "images": 8, "denoiser": {"calls": 14}}
    ]
    assert (record["peak_host_bytes"], record["stamp"]) == (20, "stamp of one")
    assert batch["made"] == {str(one["record"]): record["made"]}
    # By these a job that samples the shard again knows what is done.
    assert [[path.name for path in folder.iterdir()] for folder in one["shards"]] == [
        ["record.json"],
        ["record.json"],
    ]
    # Of what could not be gathered nothing is lost.
    assert "made in another way" in batch["failed"][str(odd["record"])]
    assert all(path.exists() for path in odd["sources"])


def test_a_cell_whose_shards_were_gathered_before_is_sampled_anew(tmp_path, run_script):
    write_tensors(tmp_path / "means.safetensors", {"a": np.zeros(1)}, {"classes": CLASSES})
    one = shards_of(tmp_path, "one")
    given = {"latents": tmp_path, "features": []}, {"record": tmp_path / "batch.json"}
    run_script("gather", *given, {"cells": [one], "code": "c"}, dataset="toy")
    run_script("gather", *given, {"cells": [one], "code": "another"}, dataset="toy")
    assert "sampled anew" in read_json(tmp_path / "batch.json")["failed"][str(one["record"])]
    assert not any(path.exists() for path in one["sources"])
