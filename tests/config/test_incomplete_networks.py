"""A network that lacks a key is told what it lacks, wherever it is named; and who trains none."""

import pytest

from lighthouse.config.disk import missing
from lighthouse.config.load import load_study
from lighthouse.config.schema import ConfigError
from repository import ROOT
from shipped import SHIPPED, changed, problems

NETWORKS = {
    "convnet": {"network": "convnet", "depth": 1, "width": 4},
    "resnet-ap": {"network": "resnet-ap", "depth": 10},
    "resnet": {"network": "resnet", "depth": 10, "norm": "batch"},
    "vit": {"network": "vit", "depth": 1, "patch": 4, "width": 8, "heads": 2},
}
TEACHER = {"network": "mine", "weights": None, "protocol": "digits", "epochs": 1}
#: Places that name a network, and what stands there.
USES = {
    "run.students": ["mine"],
    "run.ablation.students": ["mine"],
    "run.tuning.student": "mine",
    "datasets.digits.surrogate.network": "mine",
    "datasets.digits.classifier.network": "mine",
    "protocols.rded.teacher": TEACHER,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, options in NETWORKS.items() for key in options]
)
def test_a_network_without_a_key_is_told(kind, key, use):
    options = {name: value for name, value in NETWORKS[kind].items() if name != key}
    config = changed("students.mine", options, changed(use, USES[use]))
    with pytest.raises(ConfigError) as error:
        load_study(config, ROOT)
    assert any(
        line.startswith("config: students.mine") and f"{key!r} is missing" in line
        for line in error.value.problems
    )


def with_weights(path, **others):
    """The default, with a file of weights in the place of the digits' classifier."""
    given = {**SHIPPED["datasets"]["digits"]["classifier"], "weights": str(path), **others}
    return changed("datasets.digits.classifier", given)


def test_inherited_keys_of_a_training_are_taken_away_by_null(tmp_path):
    assert any("`epochs: null`" in line for line in problems(with_weights(tmp_path / "w")))
    load_study(with_weights(tmp_path / "w", epochs=None), ROOT)
    teacher = {**TEACHER, "network": "convnet2", "weights": "w.safetensors"}
    config = changed("protocols.rded.teacher", teacher)
    assert sum(": null` where it is inherited" in line for line in problems(config)) == 2
    load_study(
        changed("protocols.rded.teacher", {**teacher, "protocol": None, "epochs": None}), ROOT
    )


def test_a_folder_for_weights_is_told_before_any_job(tmp_path):
    study = load_study(with_weights(tmp_path, epochs=None), ROOT)
    line = f"datasets.digits.classifier.weights: {tmp_path} is a folder; name a file"
    assert line in missing(study)
