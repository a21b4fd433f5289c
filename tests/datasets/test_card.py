"""The card of a set that is handed on: what the hub and a reader are told of it."""

import json

import pytest
import yaml

from lighthouse.datasets.card import card
from lighthouse.datasets.export import handed_on
from lighthouse.datasets.index import ImageIndex

SETS = ["seed~0", "seed~10"]
ABOUT = {
    "dataset": "pets",
    "method": "rsm-cgs",
    "label": "RSM + CGS",
    "classes": ["dog", 'cat: "x"', "01"],  # in label order
    "ipc": 2,
    "image_size": 32,
    "licence": "CC BY 4.0",
    "source_url": "https://example.org",
    "scores": [
        {"student": name, "protocol": "mine", "mean": mean, "std": std, "students": n, "sets": sets}
        for name, mean, std, n, sets in (
            ("convnet3", 41.25, 1.5, 8, 4),
            ("resnet18", 50.0, None, 1, 1),
        )
    ],
}


def head(text):
    start, yaml_text, _ = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(yaml_text)


def test_the_head_names_the_images_of_each_set_and_the_classes_as_folders_are_sorted():
    told = head(card(SETS, ABOUT))
    assert told["license"] == "cc-by-4.0" and told["task_categories"] == ["image-classification"]
    assert [c["config_name"] for c in told["configs"]] == SETS
    assert [c.get("default") for c in told["configs"]] == [True, None]
    assert told["configs"][1]["data_files"] == [{"split": "train", "path": "seed~10/*/*.png"}]
    for info in told["dataset_info"]:
        image, label = info["features"]
        assert image == {"name": "image", "dtype": "image"}
        names = label["dtype"]["class_label"]["names"]
        assert names == {"0": "01", "1": 'cat: "x"', "2": "dog"}


def test_a_licence_that_the_hub_does_not_know_is_told_in_words():
    text = card(SETS, {**ABOUT, "licence": "that of your images", "source_url": ""})
    assert head(text)["license"] == "other" and head(text)["license_name"]
    assert "Licence of the images that it was made from: that of your images." in text


def test_scores_are_those_of_the_set():
    text = card(SETS, ABOUT)
    assert "| convnet3 | mine | 41.2 ± 1.5 | 8 | 4 |" in text
    assert "| resnet18 | mine | 50.0 | 1 | 1 |" in text
    assert "| network |" not in card(SETS, {**ABOUT, "scores": []})


def test_real_images_are_told_to_be_so():
    assert "`chosen`" not in card(SETS, ABOUT)
    assert "`chosen`" in card(SETS, {**ABOUT, "chosen": {"seed~0": {"dog": ["a.jpg"]}}})


def test_no_folder_of_this_machine_is_handed_on():
    about = {"a": [{"weights": "/home/me/model"}], "b": "i/half", "c": 3}
    assert handed_on(about) == {"a": [{"weights": "model"}], "b": "i/half", "c": 3}
    assert "/home" not in json.dumps(handed_on(about))


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("/photos", ["train/a/x.jpg", "images/y.png", "z.png"]),
        (None, ["x.jpg", "images/y.png", "z.png"]),
    ],
)
def test_images_are_named_below_the_folder_they_were_read_from(tmp_path, root, expected):
    paths = ["/photos/train/a/x.jpg", "images/y.png", "/elsewhere/z.png"]
    index = ImageIndex(tmp_path, tuple(("train", 0, "a", path) for path in ("first", *paths)))
    assert index.names("train", [1, 2, 3], root) == expected
