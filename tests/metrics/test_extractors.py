"""Feature extractors: what each computes, and that nothing but tensors is read from files."""

import hashlib
import math
import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.real import RealImages
from lighthouse.metrics.features import (
    Extractor,
    load_extractor,
    make_extractor,
    recognised,
    set_seen,
)
from lighthouse.metrics.frechet import frechet_distance, statistics
from lighthouse.metrics.pretrained import SqueezeNet
from lighthouse.metrics.trained import Trained
from lighthouse.parts.extractors import EXTRACTORS
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_about, write_tensors
from lighthouse.runtime.weights import RESNET18, Weights, fetch
from lighthouse.students.augment import normalise
from lighthouse.students.networks import ConvNet


def pictures(n, seed=0, side=16):
    return np.random.default_rng(seed).integers(0, 256, (n, 3, side, side), np.uint8)


def index_of(folder, parts):
    """An index of random images: how many of each class (three) in each part."""
    rows = []
    for part, counts in parts.items():
        for label, count in enumerate(counts):
            for number, pixels in enumerate(pictures(count, seed=len(rows))):
                path = f"{part}-{label}-{number}.png"
                Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / path)
                rows.append((part, label, "abc"[label], path))
    rows = rows[::2] + rows[1::2]  # classes and parts are mixed
    ImageIndex.write(folder / "index.tsv", rows)
    return ImageIndex.read(folder / "index.tsv")


# Real images.


def test_of_a_class_with_more_images_as_many_as_asked_for_are_drawn(tmp_path):
    index = index_of(tmp_path, {"train": [9, 3, 6]})
    few, more = (RealImages(index, "toy", 16, n, 1) for n in (4, 5))
    assert np.bincount(few.labels("train")).tolist() == [4, 3, 4]
    assert set(few.rows("train")) < set(more.rows("train"))
    assert few.rows("train").tolist() == sorted(few.rows("train"))
    other = RealImages(index, "another", 16, 4, 1)
    assert other.rows("train").tolist() != few.rows("train").tolist()


def test_all_images_are_taken_in_index_order_where_they_are_few(tmp_path):
    index = index_of(tmp_path, {"train": [3, 2, 1]})
    real = RealImages(index, "toy", 16, 3, 2)
    assert real.rows("train").tolist() == list(range(6))
    assert np.array_equal(np.concatenate(list(real.batches("train"))), index.images("train", 16))
    assert np.array_equal(real.labels("train"), index.labels("train"))


# An extractor.


@pytest.fixture(scope="module")
def extractor():
    torch.manual_seed(0)
    state = ConvNet(3, 32, 16, 3).state_dict()
    return Extractor(Trained(state, {"image_size": 16, "n_classes": 3}), "toy")


def test_features_do_not_depend_on_the_batch(extractor, monkeypatch):
    images = pictures(9)
    whole = extractor.array(images)
    monkeypatch.setattr(extractor.network, "batch", 4)
    np.testing.assert_allclose(extractor.array(images), whole, rtol=1e-5, atol=1e-6)
    assert whole.shape == (9, 32 * 2 * 2) and whole.dtype == np.float32


def test_features_of_broken_weights_are_refused():
    state = {k: v * math.nan for k, v in ConvNet(3, 32, 16, 3).state_dict().items()}
    broken = Extractor(Trained(state, {"image_size": 16, "n_classes": 3}), "toy")
    with pytest.raises(FloatingPointError, match="toy"):
        broken.array(pictures(2))


def test_what_is_seen_of_a_set_goes_class_by_class(extractor, tmp_path):
    images = pictures(9).reshape(3, 3, 3, 16, 16)
    write_tensors(tmp_path / "s.safetensors", {"seed~4": images}, {})
    found, known = set_seen(extractor, tmp_path / "s.safetensors", 4, 2, ["a", "b", "c"])
    shown = images[:, :2].reshape(6, 3, 16, 16)
    np.testing.assert_allclose(found, extractor.array(shown), rtol=1e-5, atol=1e-6)
    seen = extractor.network.network(normalise(torch.from_numpy(shown))).argmax(1).reshape(3, 2)
    assert known.tolist() == [[label == k for label in seen[k].tolist()] for k in range(3)]
    assert known.any() and not known.all()


def test_an_image_is_recognised_where_its_class_is_the_likeliest_of_the_datasets():
    logits = torch.tensor([[9.0, 1.0, 3.0], [9.0, 3.0, 1.0], [0.0, 2.0, 5.0]])
    assert recognised(logits, [0, 1, 2], 0).tolist() == [True, True, False]
    # Of the second and third logit alone, in this order; the first is of no class here.
    assert recognised(logits, [1, 2], 1).tolist() == [True, False, True]
    assert recognised(logits, [2, 1], 1).tolist() == [False, True, False]


def test_of_a_network_that_knows_no_such_classes_nothing_is_known():
    assert np.isnan(recognised(None, [0, 1], 0)).all()
    assert np.isnan(recognised(torch.zeros(3, 5), None, 0)).all()


@pytest.mark.parametrize("counts, part", [([4, 4, 4], "val"), ([0, 0, 0], "test")])
def test_a_trained_extractor_comes_back_from_its_file(tmp_path, counts, part):
    index = index_of(tmp_path, {"train": [8, 8, 8], "val": counts, "test": [2, 2, 2]})
    path = tmp_path / "e.safetensors"
    options = {"kind": "trained", "name": "toy-convnet", "epochs": 1}
    make_extractor(options, RealImages(index, "toy", 16, 100, 1), None, path, "cpu")
    loaded, about = load_extractor(path), read_about(path)
    assert loaded.name == "toy-convnet"
    assert loaded.network.network.head.out_features == 3
    assert not loaded.network.training
    assert loaded.array(pictures(2)).shape == (2, 128)
    assert about["accuracy_part"] == part and 0 <= about["accuracy"] <= 1
    assert about["training"]["n_images"] == 24


def test_too_many_images_to_train_on_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lighthouse.students.limits.MOST_IMAGES", 10)
    real = RealImages(index_of(tmp_path, {"train": [4, 4, 4]}), "toy", 16, 100, 1)
    options = {"kind": "trained", "name": "toy-convnet", "epochs": 1}
    with pytest.raises(DataError, match="not trained on 12 images here, at most on 10"):
        make_extractor(options, real, None, tmp_path / "e.safetensors", "cpu")


# Pretrained weights.


@pytest.fixture(scope="module")
def squeezenet_state():
    from torchvision.models import squeezenet1_0

    torch.manual_seed(0)
    return squeezenet1_0().state_dict()


def test_squeezenet_is_torchvisions_up_to_the_mean_over_its_last_maps(squeezenet_state):
    from torchvision.models import squeezenet1_0
    from torchvision.transforms.v2 import functional

    network = squeezenet1_0().eval()
    network.load_state_dict(squeezenet_state)
    images = torch.from_numpy(pictures(3, side=96))
    inputs = functional.resize(images.float() / 255, [224, 224], antialias=True)
    inputs = functional.normalize(inputs, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = network.features(inputs).mean((2, 3))
        logits = network(inputs)
    found = Extractor(SqueezeNet(squeezenet_state), "s").seen(images)
    assert found.features.shape == (3, 512)
    torch.testing.assert_close(found.features, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.logits, logits, rtol=1e-4, atol=1e-5)


def test_squeezenet_knows_the_classes_that_are_imagenets(squeezenet_state):
    network = SqueezeNet(squeezenet_state)
    assert network.columns(["n02102040", "n01440764"]) == [217, 0]
    assert network.columns(["n01440764", "a digit"]) is None


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_pretrained_extractor_comes_back_from_its_file(tmp_path, squeezenet_state, suffix):
    weights, path = tmp_path / f"w{suffix}", tmp_path / "e.safetensors"
    if suffix == ".pth":
        torch.save(squeezenet_state, weights)
    else:
        write_tensors(weights, squeezenet_state, {})
    options = {"kind": "squeezenet", "name": "squeezenet1-0", "weights": str(weights)}
    make_extractor(options, None, weights, path, "cpu")
    sha = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert read_about(path)["weights"] == {"file": weights.name, "sha256": sha}
    weights.unlink()  # no longer needed
    images = pictures(2)
    expected = Extractor(SqueezeNet(squeezenet_state), "s").array(images)
    assert np.array_equal(load_extractor(path).array(images), expected)


def test_weights_of_another_network_are_refused(tmp_path, squeezenet_state):
    weights = tmp_path / "w.safetensors"
    write_tensors(weights, squeezenet_state, {})
    options = {"kind": "inception", "name": "inception-v3-compat", "weights": str(weights)}
    with pytest.raises(DataError, match=r"extractor\.weights: .*w\.safetensors.*Inception"):
        make_extractor(options, None, weights, tmp_path / "e.safetensors", "cpu")
    assert not (tmp_path / "e.safetensors").exists()


def test_a_broken_file_of_weights_is_refused(tmp_path):
    for name in ("w.safetensors", "w.pth"):
        (tmp_path / name).write_bytes(b"half a file")
        with pytest.raises(DataError, match=f"{name} (cannot be read|does not hold the weights)"):
            make_extractor({"kind": "squeezenet"}, None, tmp_path / name, tmp_path / "e", "cpu")


class Payload:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return self.path.touch, ()


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path):
    weights, trace = tmp_path / "w.pth", tmp_path / "trace"
    torch.save({"x": Payload(trace)}, weights)
    pickle.loads(pickle.dumps(Payload(tmp_path / "control")))
    assert (tmp_path / "control").exists()
    options = {"kind": "inception", "name": "inception-v3-compat", "weights": str(weights)}
    with pytest.raises(DataError, match="holds more than tensors"):
        make_extractor(options, None, weights, tmp_path / "e.safetensors", "cpu")
    assert not trace.exists()


def served(path, content, sha256=None):
    path.write_bytes(content)
    return Weights(path.as_uri(), sha256 or hashlib.sha256(content).hexdigest(), "MIT", "a.b")


def test_weights_are_downloaded_and_checked(tmp_path):
    fetch(served(tmp_path / "source", b"numbers"), tmp_path / "downloads" / "w.pth")
    assert (tmp_path / "downloads" / "w.pth").read_bytes() == b"numbers"


def test_another_file_than_published_is_refused_and_not_kept(tmp_path):
    with pytest.raises(DataError, match="gave another file"):
        fetch(served(tmp_path / "source", b"numbers", "00ff"), tmp_path / "downloads" / "w.pth")
    assert list((tmp_path / "downloads").iterdir()) == []


def test_without_a_network_the_message_says_what_to_do_by_hand(tmp_path):
    path = tmp_path / "downloads" / "w.pth"
    weights = Weights(
        (tmp_path / "absent").as_uri(), "ab12", "MIT", "datasets.<name>.extractor.weights"
    )
    with pytest.raises(DataError) as caught:
        fetch(weights, path)
    for part in (weights.url, "ab12", "datasets.<name>.extractor.weights"):
        assert part in str(caught.value)
    assert not path.exists()


def test_squeezenet_is_downloaded_from_where_torchvision_has_it():
    from torchvision.models import SqueezeNet1_0_Weights

    assert EXTRACTORS["squeezenet"].download.url == SqueezeNet1_0_Weights.IMAGENET1K_V1.url
    assert EXTRACTORS["squeezenet"].download.sha256 in EXTRACTORS["squeezenet"].download.url


def test_inception_is_downloaded_from_where_torch_fidelity_has_it():
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    assert EXTRACTORS["inception"].download.url == URL_INCEPTION_V3
    assert EXTRACTORS["inception"].download.sha256[:8] in URL_INCEPTION_V3


def test_hashes_are_whole_but_of_the_one_that_nobody_publishes():
    known = {name: kind.download for name, kind in EXTRACTORS.items() if kind.download}
    lengths = {name: len(weights.sha256) for name, weights in known.items()}
    assert lengths == {"inception": 64, "squeezenet": 8}
    assert len(RESNET18.sha256) == 64


# The standard FID.


@pytest.fixture(scope="module")
def inception_weights(tmp_path_factory):
    """Random weights as torch-fidelity's file has them, of features that differ by image."""
    import torch_fidelity.feature_extractor_inceptionv3 as theirs

    class Unloaded(theirs.FeatureExtractorInceptionV3):
        def load_state_dict(self, state_dict):
            """Keep the initial weights."""

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theirs, "load_state_dict_from_url", lambda url, progress: {})
        network = Unloaded("inception-v3-compat", ["2048"])
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(network.state_dict(), path)
    return path


def test_fid_is_that_of_torch_fidelitys_own_run(inception_weights, tmp_path):
    import torch_fidelity

    sets = {"real": pictures(4, seed=1, side=64), "synthetic": pictures(3, seed=2, side=64) // 2}
    for name, images in sets.items():
        (tmp_path / name).mkdir()
        for number, pixels in enumerate(images):
            Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / name / f"{number}.png")
    theirs = torch_fidelity.calculate_metrics(
        input1=str(tmp_path / "real"),
        input2=str(tmp_path / "synthetic"),
        fid=True,
        feature_extractor_weights_path=str(inception_weights),
        cuda=False,
        cache=False,
        verbose=False,
        save_cpu_ram=True,  # no worker processes
    )["frechet_inception_distance"]
    path = tmp_path / "e.safetensors"
    options = {"kind": "inception", "name": "inception-v3-compat"}
    make_extractor(options, None, inception_weights, path, "cpu")
    extractor = load_extractor(path)
    assert extractor.network.columns(["n01440764"]) is None
    both = [statistics(extractor.array(images)) for images in sets.values()]
    ours = frechet_distance(*both).value
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert ours > 1
