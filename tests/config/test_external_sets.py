"""Finished sets that were made elsewhere: what is wrong with one, and who reads its labels."""

import copy

import pytest

from lighthouse.config import jobs
from lighthouse.config.batches import EXTERNAL as KIND
from lighthouse.config.batches import batches
from lighthouse.config.disk import missing
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import one_problem, problems, with_external

WRONG = {
    "unknown dataset": (
        {"dataset": "digts"},
        ["config: external.mine.dataset: 'digts' is not known; allowed: digits"],
    ),
    "no image": (
        {"ipc": 0},
        ["config: external.mine.ipc: not so many images a class; allowed: an integer from 1"],
    ),
    "unknown key": (
        {"seeds": 3},
        [
            "config: external.mine: unknown key 'seeds'; allowed: dataset, root, ipc, label, "
            "order, take, labels"
        ],
    ),
    "several IPCs of which each is all": (
        {"ipc": [5, 10]},
        [
            "config: external.mine.ipc: [5, 10] are the first images of the largest; allowed: one "
            "number, or with them `take: first`"
        ],
    ),
    "an IPC twice": (
        {"ipc": [5, 5], "take": "first"},
        ["config: external.mine.ipc: not so many images a class", "or a list of different ones"],
    ),
    "labels of a kind that there is not": (
        {"labels": "soft"},
        ["config: external.mine.labels: 'soft'", "allowed: probabilities, logits"],
    ),
}


def external(name="mine", **given):
    return with_external(**{name: {"ipc": 10, **given}})


def test_an_external_set_is_allowed():
    load_study(external(), ROOT)


@pytest.mark.parametrize(("given", "words"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_external_set_is_named(given, words):
    one_problem(external(**given), *words)


def test_an_external_set_of_more_images_than_the_protocol_knows_is_named():
    config = external(ipc=[10, 201], take="first")
    words = "nothing for IPC 201; the last pair holds up to IPC 200"
    assert problems(config) == [
        f"config: protocols.digits.{key}: {words}" for key in ("epochs", "batch_size")
    ]
    config["run"]["protocols"] = ["igd"]
    load_study(config, ROOT)


def own_labels(config):
    """With students by sets' own labels; the hard protocol is that of all else."""
    hard = config["protocols"]["digits"]
    config["protocols"]["own"] = {**hard, "labels": "own", "temperature": 2.0}
    config["run"]["protocols"] = ["own"]
    return config


def test_own_labels_need_a_set_that_has_some():
    load_study(own_labels(external(labels="logits")), ROOT)
    for config in (external(), external(dataset="other", labels="logits")):
        config["datasets"]["other"] = copy.deepcopy(config["datasets"]["digits"])
        one_problem(
            own_labels(config),
            "config: protocols.own.labels: 'own', and no set of the study has soft labels",
            "allowed: an entry of `external` with `labels`, or hard or soft",
        )


def test_own_labels_need_a_temperature_and_no_teacher():
    config = own_labels(external(labels="logits"))
    del config["protocols"]["own"]["temperature"]
    one_problem(config, "config: protocols.own: 'temperature' is missing (labels 'own' needs it)")
    config = own_labels(external(labels="logits"))
    config["protocols"]["own"]["teacher"] = {"network": "convnet2", "weights": "file"}
    one_problem(config, "'teacher' has no effect with labels 'own'")


def test_an_external_set_must_not_have_the_name_of_a_method():
    one_problem(external("rsm"), "config: external.rsm: is the name of a method; choose another")


@pytest.mark.parametrize("name", ["full", "reconstructed"])
def test_an_external_set_must_not_have_the_name_of_a_ceiling(name):
    one_problem(external(name), f"config: external: '{name}' is the name of a ceiling's row")


def test_an_external_set_is_no_method_to_run():
    config = external()
    config["run"]["methods"].append("mine")
    one_problem(config, "config: run.methods: 'mine' is not known; allowed: random")


def test_only_students_of_a_protocol_that_asks_have_a_sets_own_labels():
    config = with_external(mine={"ipc": 5, "labels": "logits"}, bare={"ipc": 5})
    own = {**config["protocols"]["digits"], "labels": "own", "temperature": 2.0}
    config["protocols"]["soft-digits"] = own
    config["run"]["protocols"] = ["digits", "soft-digits"]
    study = load_study(config, ROOT)
    found = {}
    for batch in (batch for batch in batches(study) if batch.kind == KIND):
        (made,) = jobs.external_cells(study, batch)
        found[made["method"]] = [
            jobs.student_cells(study, batch, "convnet2", protocol)[0]["labels"]
            for protocol in config["run"]["protocols"]
        ]
        if made["method"] == "mine":
            assert found["mine"][1] == made["labels"] == made["files"][-1]
        else:
            assert "labels" not in made
    assert found["mine"][0] is None and found["mine"][1].endswith("/labels.safetensors")
    assert found["bare"] == [None, None]


def test_what_is_wrong_with_an_external_folder_is_told_before_jobs_start(tmp_path):
    config = with_external(
        absent={"ipc": 1, "root": str(tmp_path / "absent")},
        small={"ipc": 2, "root": str(tmp_path / "small")},
        right={"ipc": 1, "root": str(tmp_path / "small")},
    )
    for digit in range(10):
        folder = tmp_path / "small" / str(digit)
        folder.mkdir(parents=True)
        (folder / "0.png").touch()
    lines = missing(load_study(config, ROOT))
    assert [line for line in lines if "external.right" in line] == []
    assert any(
        line.startswith(f"external.absent: {tmp_path}/absent: no such folder") for line in lines
    )
    assert any(line.startswith("external.small: ") for line in lines)
    assert all(line.startswith("external.") for line in lines)
