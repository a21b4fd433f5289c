"""The cost table: what counts to which column, by hand."""

import pytest

from lighthouse.diffusion.shards import gather_costs
from lighthouse.report.cost import COLUMNS, KEYS, WORK, cost_row, cost_table

GIB = 2**30


def record(seconds, host=1.0, device=None, **facts):
    return {
        "seconds": seconds,
        "peak_host_bytes": int(host * GIB),
        "peak_device_bytes": None if device is None else int(device * GIB),
        "device": "a GPU" if device else "a CPU",
        "threads": 2,
        **facts,
    }


RECORDS = {
    "sample": record(50.0, 2, images=100),
    "base": record(300.0, 9),
    "tuned": record(40.0, 3, trainable_parameters=700),
    "surrogate": record(12.0, 1.5),
    "tuning": {"seconds": 90.0},
}


def row(sample="sample", base="base", preparation=(), tuning=None, replicates=(0,)):
    place = {"dataset": "toy", "method": "m", "ipc": 10, "variant": "table", "classes": 5}
    place |= {"replicates": replicates, "sampled": True}
    made = {"sample": sample, "base": base, "preparation": list(preparation), "tuning": tuning}
    return {**place, **made}


def test_what_a_method_needs_beyond_the_base_is_added_up():
    found = cost_row(row(preparation=["tuned", "surrogate"]), RECORDS)
    assert (found["base_seconds"], found["preparation_seconds"]) == (300, 52)
    assert (found["seconds_per_image"], found["images"]) == (0.5, 100)
    assert found["trainable_parameters"] == 700
    assert (found["device"], found["threads"], found["status"]) == ("a CPU", 2, "measured")
    assert tuple(found) == COLUMNS


def test_a_tuning_costs_what_its_candidates_took_and_no_other_method_has_one():
    assert cost_row(row(tuning="tuning"), RECORDS)["tuning_seconds"] == 90
    assert cost_row(row(), RECORDS)["tuning_seconds"] == 0
    assert cost_row(row(base=None), RECORDS)["tuning_seconds"] == 0


def test_peaks_are_of_the_method_and_not_of_the_base():
    found = cost_row(row(preparation=["tuned"]), RECORDS)
    assert found["peak_host_gib"] == 3
    assert found["peak_device_gib"] != found["peak_device_gib"]


def test_the_highest_peak_of_a_device_counts():
    records = {**RECORDS, "sample": record(1, device=7, images=1), "tuned": record(1, device=11)}
    assert cost_row(row(preparation=["tuned"]), records)["peak_device_gib"] == 11


def test_a_coreset_has_no_base_and_tunes_nothing():
    found = cost_row(row(base=None), RECORDS)
    assert found["base_seconds"] != found["base_seconds"]
    assert (found["preparation_seconds"], found["trainable_parameters"]) == (0, 0)


def test_shards_of_one_set_are_added_up():
    work = {"evaluations": 2000, "gradients": 0, "computed": 2200}
    more = {"evaluations": 6000, "gradients": 80, "computed": 6000}

    def shard(seconds, host, device, images, denoiser):
        half = {"seconds": seconds / 2, "images": images // 2, "denoiser": denoiser}
        parts = [{"replicate": seed, **half} for seed in (0, 7)]
        facts = {"images": images, "denoiser": denoiser, "replicates": parts, "held": {}}
        return record(seconds, host, device, **facts)

    shards = [shard(10, 5, 3, 20, work), shard(30, 4, 6, 60, more)]
    found = cost_row(row(base=None), {"sample": gather_costs(shards)})
    assert (found["seconds_per_image"], found["images"]) == (0.5, 80)
    assert (found["peak_host_gib"], found["peak_device_gib"]) == (5, 6)
    assert (found["evaluations_per_image"], found["gradients_per_image"]) == (100, 1)
    assert found["computed_per_image"] == 102.5
    parts = gather_costs(shards)["replicates"]
    assert [(p["replicate"], p["seconds"], p["images"]) for p in parts] == [
        (0, 20, 40),
        (7, 20, 40),
    ]
    assert parts[1]["denoiser"]["evaluations"] == 8000


def test_what_is_trained_in_each_replicate_counts_in_their_mean():
    paths = {"base": ["base", "other"], "preparation": ["tuned", "surrogate"]}
    records = {**RECORDS, "other": record(100.0)}
    found = cost_row(row(**paths, replicates=(0, 7)), records)
    assert (found["base_seconds"], found["preparation_seconds"]) == (200, 26)
    assert found["trainable_parameters"] == 350


def test_each_replicate_has_its_own_row():
    work = {"evaluations": 200, "gradients": 20, "computed": 200}
    parts = [
        {"replicate": seed, "seconds": s, "images": 10, "denoiser": work}
        for seed, s in ((0, 2.0), (7, 4.0))
    ]
    records = {**RECORDS, "sample": record(6.0, images=20, denoiser=work, replicates=parts)}
    paths, specs = list(records), [row(replicates=(0, 7)), {**row(), "sampled": False}]
    table = cost_table(list(records.values()), specs, paths)["cost_replicates"]
    assert [r["replicate"] for r in table.rows] == [0, 7]
    assert [r["seconds_per_image"] for r in table.rows] == [0.2, 0.4]
    assert {(r["evaluations_per_image"], r["gradients_per_image"]) for r in table.rows} == {(20, 2)}
    lost = cost_table([None] * len(paths), specs, paths)["cost_replicates"].rows
    assert [(r["replicate"], r["status"]) for r in lost] == [(0, "missing"), (7, "missing")]


def test_real_images_ask_nothing_of_a_denoiser():
    found = cost_row(row(base=None), RECORDS)
    assert [found[f"{name}_per_image"] for name in WORK] == [0, 0, 0]


@pytest.mark.parametrize("lost", ["sample", "base", "tuned", "tuning"])
def test_a_row_that_lacks_one_record_is_missing(lost):
    records = {path: found for path, found in RECORDS.items() if path != lost}
    found = cost_row(row(preparation=["tuned"], tuning="tuning"), records)
    assert found["status"] == "missing"
    assert found["seconds_per_image"] != found["seconds_per_image"]
    assert [found[key] for key in KEYS] == ["toy", "m", 10, 5]


def test_a_set_made_elsewhere_has_no_cost_here():
    found = cost_row(row(sample=None, base=None), RECORDS)
    assert found["status"] == "measured"
    unknown = ["seconds_per_image", "images", "device", "peak_host_gib"]
    unknown += ["preparation_seconds", "tuning_seconds", "trainable_parameters"]
    for column in (*unknown, *(f"{name}_per_image" for name in WORK)):
        assert found[column] != found[column]
