"""Several students of each set, and those of all real images: what their files say."""

import json

import pytest
import torch
from PIL import Image

from lighthouse.datasets.index import ImageIndex
from lighthouse.runtime.files import read_json, read_tensors, write_json, write_tensors
from lighthouse.students import runs as room
from lighthouse.students.runs import held_to, run_students, scores_in_words
from lighthouse.students.teacher import load_teacher, write_teacher
from lighthouse.students.trainer import Images, at_ipc, score_student, train_student
from toy_students import NETWORK, PROTOCOL, bars, build

SHORT = {**PROTOCOL, "epochs": [[1, 6], [5, 4]], "batch_size": [[10, 10]], "evaluations": 2}
SOFT = {**SHORT, "labels": "soft", "temperature": 4.0}
#: Bars of which class how many are in the training part.
COUNTS = (12, 7, 9)
#: Of the jobs that are run.
NAMES = {"dataset": "bars", "student": "small", "protocol": "short"}


def parts(n_val=12):
    return {"val": bars(n_val, 1), "test": bars(15, 2)}


# Several students of a set.


def test_students_of_a_set_are_those_that_are_trained_alone():
    made = run_students(bars(15, 0), parts(), NETWORK, SHORT, 5, 3, [0, 2])
    assert [(run["seed"], run["student_seed"]) for run in made] == [(3, 0), (3, 2)]
    for run in made:
        student, record = train_student(
            bars(15, 0), bars(12, 1), NETWORK, SHORT, 5, 3, student_seed=run["student_seed"]
        )
        scores = score_student(student, record, parts(), SHORT)
        assert run == {"seed": 3, "student_seed": run["student_seed"], **scores}


@pytest.mark.parametrize(("n_val", "part"), [(12, "val"), (0, "test")])
def test_students_are_watched_on_the_part_that_chooses(monkeypatch, n_val, part):
    watched = []

    def spy(train, seen, *rest):
        watched.append(seen)
        return None, {}

    monkeypatch.setattr(room, "train_student", spy)
    monkeypatch.setattr(room, "score_student", lambda student, record, parts, protocol: {})
    given = parts(n_val)
    run_students(bars(15, 0), given, NETWORK, SHORT, 5, 0, [0, 1])
    assert len(watched) == 2
    assert all(seen is given[part] for seen in watched)


def test_the_last_word_has_every_students_accuracy():
    assert scores_in_words([{"last": 0.5}, {"last": 0.1239}]) == "50.0, 12.4 %"


# A protocol beyond its pairs.


def test_a_protocols_last_pair_holds_beyond_it_and_the_others_as_they_were():
    protocol = {"epochs": [[1, 60], [5, 40]], "batch_size": [[200, 64]], "evaluations": 3}
    held = held_to(protocol, 100)
    assert {ipc: at_ipc(held, "epochs", ipc) for ipc in (1, 2, 5, 6, 100)} == {
        1: 60,
        2: 40,
        5: 40,
        6: 40,
        100: 40,
    }
    assert held["batch_size"] == [[200, 64]]
    assert protocol["epochs"] == [[1, 60], [5, 40]]
    assert held_to(protocol, 5) == protocol


# The rules' scripts.


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Real images of bars with their pixels of val and test, a set, and a teacher."""
    folder = tmp_path_factory.mktemp("students")
    rows, wanted = [], []
    for label, count in enumerate(COUNTS):
        many = bars(3 * count, label)
        for number, image in enumerate(many.images[many.labels == label]):
            name = f"{label}-{number}.png"
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / name)
            rows.append(("train", label, "abc"[label], name))
            wanted.append(image)
    rows.append(("test", 0, "a", "0-0.png"))
    ImageIndex.write(folder / "index.tsv", rows)
    arrays = {
        name: array
        for key, data in parts().items()
        for name, array in ((key, data.images), (f"{key}_labels", data.labels))
    }
    write_tensors(folder / "pixels", arrays, {})
    labels = torch.arange(3).repeat_interleave(torch.tensor(COUNTS))
    write_tensors(folder / "train", {"images": torch.stack(wanted), "labels": labels}, {})
    sets = {f"seed~{s}": torch.stack([bars(15, s).images[k::3] for k in range(3)]) for s in (0, 4)}
    write_tensors(folder / "images", sets, {})
    write_teacher(folder / "teacher", build(), NETWORK, 16, 3)
    return folder


def read_real(folder):
    """The images that were written to files, as they were before."""
    found = read_tensors(folder / "train")
    return Images(found["images"], found["labels"])


@pytest.mark.parametrize(("at_once", "groups"), [(1, [None] * 6), (4, [4, 4, 4, 4, 2, 2])])
def test_each_cells_record_has_every_student_of_every_set(folder, run_script, at_once, groups):
    write_json(folder / "sets.json", {"made": "of the sets"})
    cells = [
        {
            "images": folder / "images",
            "labels": None,
            "sources": [folder / "sets.json"],
            "row": {"dataset": "bars", "method": "rsm", "ipc": ipc, "variant": "table"},
            "ipc": ipc,
            "student_seeds": seeds,
            "record": folder / f"ipc~{ipc}.json",
            "stamp": f"stamp of {ipc}",
        }
        for ipc, seeds in ((2, [0, 1, 2]), (1, [0]))
    ]
    params = {"network": NETWORK, "protocol": SHORT, "seeds": [0, 4], "at_once": at_once}
    run_script(
        "student",
        {"pixels": folder / "pixels", "teacher": []},
        {"record": folder / "batch.json"},
        {"cells": cells, **params, "code": f"c {at_once}"},
        **NAMES,
    )
    found, other = (read_json(cell["record"]) for cell in cells)
    batch = read_json(folder / "batch.json")
    made = {str(folder / f"ipc~{ipc}.json"): cell["made"] for ipc, cell in ((2, found), (1, other))}
    assert batch == {"made": made, "failed": {}, "left": {}}
    runs = found["runs"]
    pairs = [(run["seed"], run["student_seed"]) for run in runs]
    assert pairs == [(0, 0), (0, 1), (0, 2), (4, 0), (4, 1), (4, 2)]
    assert [(run["seed"], run["student_seed"]) for run in other["runs"]] == [(0, 0), (4, 0)]
    assert (found["best_chosen_on"], found["n_test"]) == ("val", 15)
    names = {"student": "small", "protocol": "short"}
    assert found["options"] == {**names, **cells[0]["row"], "network": NETWORK, "recipe": SHORT}
    assert (found["stamp"], other["stamp"]) == ("stamp of 2", "stamp of 1")
    assert {run["epochs"] for run in runs} == {4}
    assert {run["epochs"] for run in other["runs"]} == {6}
    assert all(len(run["curve"]) == 2 and "best_state" not in run for run in runs)
    assert [run.pop("at_once", None) for run in runs] == groups
    # The fifth is the student 1 of the first two images of each class of seed 4.
    images = torch.cat([bars(15, 4).images[k::3][:2] for k in range(3)])
    train = Images(images, torch.arange(3).repeat_interleave(2))
    (alone,) = run_students(train, parts(), NETWORK, SHORT, 2, 4, [1])
    assert runs[4] == json.loads(json.dumps(alone))


def ceiling(run_script, folder, protocol, name, **inputs):
    """The record of a ceiling's students, by the rule's script."""
    given = {"reconstructed": [], "teacher": [], **inputs}
    run_script(
        "ceiling",
        {"index": folder / "index.tsv", "pixels": folder / "pixels", **given},
        {"record": folder / "ceiling.json"},
        {
            "network": NETWORK,
            "protocol": protocol,
            "student_seeds": [0, 3],
            "stamp": "s",
            "key": name,
        },
        **NAMES,
        ceiling=name,
    )
    return read_json(folder / "ceiling.json")


@pytest.mark.parametrize("protocol", [SHORT, SOFT], ids=["hard", "soft"])
def test_the_ceilings_file_has_students_of_all_real_images(folder, run_script, protocol):
    teacher = [folder / "teacher"] if protocol is SOFT else []
    found = ceiling(run_script, folder, protocol, "full", teacher=teacher)
    facts = {"ipc": "all", "n_train": sum(COUNTS), "largest_class": max(COUNTS), "stamp": "s"}
    assert {key: found[key] for key in facts} == facts
    assert (found["best_chosen_on"], found["n_test"]) == ("val", 15)
    assert found["options"] == {
        **NAMES,
        "method": "full",
        "ipc": "all",
        "network": NETWORK,
        "recipe": protocol,
    }
    # The largest class is beyond the pairs of epochs and of batches: the last ones hold.
    assert {run["epochs"] for run in found["runs"]} == {4}
    real = read_real(folder)
    loaded = load_teacher(folder / "teacher") if teacher else None
    recipe = {**protocol, "epochs": [[12, 4]], "batch_size": [[12, 10]]}
    alone = run_students(real, parts(), NETWORK, recipe, 12, 0, [0, 3], loaded)
    assert found["runs"] == json.loads(json.dumps(alone))


def test_students_of_reconstructed_images_have_the_labels_of_the_real_ones(folder, run_script):
    real = read_real(folder)
    # Twice the side: students see them at the side of what they are judged by.
    larger = (255 - real.images).repeat_interleave(2, 2).repeat_interleave(2, 3)
    write_tensors(folder / "reconstructed", {"images": larger}, {})
    given = [folder / "reconstructed"]
    found = ceiling(run_script, folder, SHORT, "reconstructed", reconstructed=given)
    assert found["options"]["method"] == "reconstructed"
    assert (found["ipc"], found["n_train"]) == ("all", sum(COUNTS))
    recipe = {**SHORT, "epochs": [[12, 4]], "batch_size": [[12, 10]]}
    train = Images(larger, real.labels).resized(16)
    assert train.size == 16
    alone = run_students(train, parts(), NETWORK, recipe, 12, 0, [0, 3])
    assert found["runs"] == json.loads(json.dumps(alone))
    assert found["runs"] != ceiling(run_script, folder, SHORT, "full")["runs"]
