"""A dataset's classifier: what it answers, of which images and in which colours."""

import pytest
import torch

from lighthouse.config.load import load_study
from lighthouse.students import classifier as room
from lighthouse.students.classifier import Classifier, load_classifier
from lighthouse.students.teacher import train_teacher, write_teacher
from repository import ROOT
from shipped import SHIPPED, changed
from toy_students import NETWORK, PROTOCOL, Fixed, bars

MEAN, STD = (0.2, 0.4, 0.6), (0.5, 0.25, 0.125)


def test_it_is_asked_in_the_colours_of_its_protocol():
    images = torch.full((1, 3, 16, 16), 102, dtype=torch.uint8)  # 0.4
    found = Classifier(Fixed(), MEAN, STD).normalised(images)[0, :, 0, 0]
    assert torch.allclose(found, torch.tensor([0.4, 0.0, -1.6]), atol=1e-6)
    assert torch.equal(found, Classifier(Fixed(), MEAN, STD).normalised(images.float())[0, :, 0, 0])


def test_its_answers_are_logarithms_of_probabilities_by_hand():
    # Logits -2, 0 and 2: e^-2 + 1 + e^2 is 8.524.
    (found,) = Classifier(Fixed(), MEAN, STD).log_probabilities(torch.full((1, 3, 16, 16), 2.0))
    assert torch.allclose(found, torch.tensor([-4.1429, -2.1429, -0.1429]), atol=1e-4)


def test_images_follow_in_batches_and_stay_in_order(monkeypatch):
    images = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 3, 16, 16)
    whole = Classifier(Fixed(), MEAN, STD).log_probabilities(images)
    monkeypatch.setattr(room, "EVALUATED_PIXELS", 2 * 16**2)
    network = Fixed()
    assert torch.equal(Classifier(network, MEAN, STD).log_probabilities(images), whole)
    assert [len(part) for part in network.seen] == [2, 2, 1]


def test_what_is_trained_knows_the_problem_and_answers_from_its_file(tmp_path):
    recipe = {**PROTOCOL, "mean": list(MEAN), "teacher": {"weights": None, "epochs": 8}}
    seen = bars(60, 1)
    network, score = train_teacher(bars(60, 0), seen, NETWORK, recipe, PROTOCOL)
    write_teacher(tmp_path / "c", network, NETWORK, 16, 3, dataset="bars", recipe=recipe)
    found = load_classifier(tmp_path / "c")
    assert found.mean == MEAN
    answers = found.log_probabilities(found.normalised(seen.images))
    assert score > 0.8
    assert (answers.argmax(1) == seen.labels).float().mean().item() == pytest.approx(score)


def test_it_sees_images_as_the_dataset_has_them_and_else_follows_its_protocol():
    study = load_study(changed("datasets.digits.classifier.protocol", "minimax"), ROOT)
    recipe, protocol = study.classifier("digits"), SHIPPED["protocols"]["minimax"]
    assert (recipe["size"], recipe["resize"]) == (16, 1.0)
    assert recipe["teacher"]["network"] == "convnet3"
    assert all(recipe[key] == protocol[key] for key in protocol.keys() - {"size", "resize"})
