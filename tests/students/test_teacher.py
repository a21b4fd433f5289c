"""Teachers: trained by a hard protocol, or weights that fit the dataset's classes."""

import pytest
import torch

from lighthouse.runtime import weights
from lighthouse.runtime.files import read_about, write_tensors
from lighthouse.students import teacher as room
from lighthouse.students import trainer
from lighthouse.students.limits import check_size
from lighthouse.students.teacher import (
    load_teacher,
    pretrained_teacher,
    train_teacher,
    write_teacher,
)
from toy_students import NETWORK, PROTOCOL, bars, build

RESNET18 = {"network": "resnet", "depth": 18, "norm": "batch"}
SOFT = {
    **PROTOCOL,
    "labels": "soft",
    "mean": [0.4, 0.5, 0.6],
    "teacher": {"network": "small", "weights": None, "protocol": "hard", "epochs": 8},
}
WOOF = ["n02096294", "n02093754", "n02088364"]


def test_a_teacher_is_trained_by_the_hard_protocol_for_its_own_epochs(monkeypatch):
    asked = []

    def spy(train, seen, network, protocol, ipc, seed, keeper):
        asked.append((len(train.labels), network, protocol, ipc))
        return build(), {"curve": [(8, 0.5)]}

    monkeypatch.setattr(room, "train_student", spy)
    _, score = train_teacher(bars(60, 0), bars(9, 1), NETWORK, SOFT, PROTOCOL)
    assert score == 0.5
    n, network, protocol, ipc = asked[0]
    assert (n, network) == (60, NETWORK)
    assert trainer.at_ipc(protocol, "epochs", ipc) == 8
    assert trainer.at_ipc(protocol, "batch_size", ipc) == 10  # that of the largest IPC
    assert protocol["labels"] == "hard"
    assert protocol["mean"] == [0.4, 0.5, 0.6]  # as it will be asked
    assert protocol["augment"] == PROTOCOL["augment"]


def test_a_trained_teacher_knows_the_problem_and_answers_the_same_from_its_file(tmp_path):
    teacher, score = train_teacher(bars(60, 0), bars(60, 1), NETWORK, SOFT, PROTOCOL)
    assert score > 0.8
    write_teacher(tmp_path / "teacher", teacher, NETWORK, 16, 3, dataset="bars")
    loaded = load_teacher(tmp_path / "teacher")
    images = torch.rand(4, 3, 16, 16)
    assert torch.equal(loaded(images), teacher.eval()(images))
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())
    assert read_about(tmp_path / "teacher")["options"] == {"dataset": "bars"}


def test_a_teacher_is_not_trained_on_more_images_than_memory_holds():
    check_size(100_000, "a teacher", "give one")
    message = "a teacher is not trained on 1281167 images here, at most on 100000; give one"
    with pytest.raises(ValueError, match=message):
        check_size(1_281_167, "a teacher", "give one")


def test_weights_from_a_file_answer_the_datasets_classes_in_its_order(tmp_path):
    network = build()
    write_tensors(tmp_path / "own.safetensors", network.state_dict(), {})
    found = pretrained_teacher(NETWORK, tmp_path / "own.safetensors", ["a", "b", "c"], 16)
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(found(images), network(images))


def test_torchs_own_format_is_read_without_running_what_it_holds(tmp_path):
    torch.save(build().state_dict(), tmp_path / "own.pth")
    found = pretrained_teacher(NETWORK, tmp_path / "own.pth", ["a", "b", "c"], 16)
    assert torch.equal(found.head.weight, build().head.weight)
    torch.save(build(), tmp_path / "module.pth")
    with pytest.raises(ValueError, match="holds more than tensors"):
        pretrained_teacher(NETWORK, tmp_path / "module.pth", ["a", "b", "c"], 16)
    torch.save({"state_dict": build().state_dict(), "epoch": 3}, tmp_path / "run.pth")
    with pytest.raises(ValueError, match="not a state_dict"):
        pretrained_teacher(NETWORK, tmp_path / "run.pth", ["a", "b", "c"], 16)


def test_weights_of_another_shape_are_refused_with_what_they_should_be(tmp_path):
    write_tensors(tmp_path / "own.safetensors", build().state_dict(), {})
    path = tmp_path / "own.safetensors"
    with pytest.raises(ValueError, match="not hold weights of network convnet, depth 2, width 9"):
        pretrained_teacher({**NETWORK, "width": 9}, path, ["a", "b", "c"], 16)
    with pytest.raises(ValueError, match="for 16 px and 4 classes"):
        pretrained_teacher(NETWORK, path, ["a", "b", "c", "d"], 16)


def test_imagenets_answers_are_cut_to_the_classes_of_a_subset(tmp_path):
    network = build(n_classes=1000)
    write_tensors(tmp_path / "all.safetensors", network.state_dict(), {})
    found = pretrained_teacher(NETWORK, tmp_path / "all.safetensors", WOOF, 16)
    images = torch.rand(2, 3, 16, 16)
    assert torch.allclose(found(images), network(images)[:, [193, 182, 162]], atol=1e-6)


def test_imagenets_answers_are_refused_for_classes_that_are_none_of_its(tmp_path):
    write_tensors(tmp_path / "all.safetensors", build(n_classes=1000).state_dict(), {})
    with pytest.raises(ValueError, match="no ImageNet label is known"):
        pretrained_teacher(NETWORK, tmp_path / "all.safetensors", ["0", "1"], 16)


def test_torchvisions_resnet18_teaches_as_it_is(tmp_path):
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    original = models.resnet18().eval()
    torch.save(original.state_dict(), tmp_path / "resnet18.pth")
    found = pretrained_teacher(RESNET18, tmp_path / "resnet18.pth", WOOF, 160).eval()
    images = torch.rand(1, 3, 160, 160)
    with torch.no_grad():
        wanted = original(images)[:, [193, 182, 162]]
        assert torch.allclose(found(images), wanted, rtol=1e-4, atol=1e-5)


def test_the_weights_are_downloaded_from_where_torchvision_has_them():
    models = pytest.importorskip("torchvision.models")
    assert weights.RESNET18.url == models.ResNet18_Weights.IMAGENET1K_V1.url
    assert f"-{weights.RESNET18.sha256[:8]}.pth" in weights.RESNET18.url


def test_a_thousand_other_classes_are_not_torchvisions(tmp_path):
    write_tensors(tmp_path / "all.safetensors", build(n_classes=1000).state_dict(), {})
    others = [str(number) for number in range(1000)]
    with pytest.raises(ValueError, match="ImageNet"):
        pretrained_teacher(NETWORK, tmp_path / "all.safetensors", others, 16, of_imagenet=True)
