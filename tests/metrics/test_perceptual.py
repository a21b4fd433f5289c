"""The distance of images in an extractor's layers."""

import pytest
import torch
from torch import nn

from lighthouse.metrics.perceptual import PerceptualDistance, load_distance
from lighthouse.metrics.pretrained import SqueezeNet
from lighthouse.metrics.trained import DEPTH, Trained
from lighthouse.runtime.files import write_tensors
from lighthouse.students.networks import ConvNet


def pictures(n=3, side=32, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(n, 3, side, side, generator=rng) - 1


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return ConvNet(DEPTH, 32, 32, 4).state_dict()


ABOUT = {"image_size": 32, "n_classes": 4, "kind": "trained", "name": "toy"}


class Colours(nn.Module):
    """Two depths that can be reckoned: the colours in 0…1, and their means by 2 × 2 places."""

    layers = nn.Sequential(nn.Identity(), nn.AvgPool2d(2), nn.Identity())

    def normalised(self, images):
        return images


def test_it_is_the_squared_chord_between_directions_a_mean_over_places_a_sum_over_depths():
    # One red image, one of which the left half is green: at right angles there, a chord of √2.
    red, half = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    red[:, 0], half[:, 0, :, 2:], half[:, 1, :, :2] = 1, 1, 0.5
    signed = [2 * images - 1 for images in (red, half)]
    found = PerceptualDistance(Colours())(*signed)
    assert found.item() == pytest.approx(2 * (2 / 2), rel=1e-5)
    # A brighter one has the same directions: its length is no distance.
    assert PerceptualDistance(Colours())(signed[0], red - 1).item() == pytest.approx(0, abs=1e-5)


def test_it_is_a_mean_over_images():
    distance = PerceptualDistance(Colours())
    one, other = pictures(seed=1), pictures(seed=2)
    alone = [distance(one[i : i + 1], other[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(distance(one, other), torch.stack(alone).mean())


def test_a_trained_extractors_maps_are_those_before_each_pooling(state):
    network = Trained(state, ABOUT)
    distance = PerceptualDistance(network)
    one, other = pictures(seed=1), pictures(seed=2)
    maps, wanted = [one, other], 0
    for number in range(DEPTH):
        block = network.network.features[4 * number : 4 * number + 4]
        maps = [block[:3](images) for images in maps]
        cosine = nn.functional.cosine_similarity(*maps, dim=1)
        wanted += (2 - 2 * cosine).mean()
        maps = [block[3](images) for images in maps]
    torch.testing.assert_close(distance(one, other), wanted, rtol=1e-3, atol=1e-4)
    assert distance(one, one) == 0


def test_a_gradient_comes_back_to_the_images_and_to_nothing_else(state):
    distance = PerceptualDistance(Trained(state, ABOUT))
    one = pictures(seed=1).requires_grad_()
    distance(one, pictures(seed=2)).backward()
    assert one.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in distance.parameters())


def test_images_without_features_have_a_gradient_of_bounded_length():
    black = (-torch.ones(1, 3, 4, 4)).requires_grad_()
    PerceptualDistance(Colours())(black, pictures(1, 4)).backward()
    assert black.grad.isfinite().all()


def test_squeezenet_has_maps_at_four_depths_at_the_images_own_size():
    from torchvision.models import squeezenet1_0

    torch.manual_seed(0)
    network = SqueezeNet(squeezenet1_0().state_dict())
    distance = PerceptualDistance(network)
    sides, hooks = [], []
    for number, layer in enumerate(network.layers):
        if number in (1, 5, 10, 12):
            hooks.append(layer.register_forward_hook(lambda *given: sides.append(given[-1])))
    one, other = pictures(2, seed=1), pictures(2, seed=2)
    found = distance(one, other)
    for hook in hooks:
        hook.remove()
    firsts, seconds = sides[:4], sides[4:]
    assert [maps.shape[1:] for maps in firsts] == [
        (96, 13, 13),
        (256, 6, 6),
        (512, 3, 3),
        (512, 1, 1),
    ]
    wanted = sum(
        (2 - 2 * nn.functional.cosine_similarity(a, b, dim=1)).mean()
        for a, b in zip(firsts, seconds, strict=True)
    )
    torch.testing.assert_close(found, wanted, rtol=1e-2, atol=1e-4)


def test_it_is_loaded_from_an_extractors_file(state, tmp_path):
    write_tensors(tmp_path / "extractor", state, ABOUT)
    one, other = pictures(seed=1), pictures(seed=2)
    found = load_distance(tmp_path / "extractor", "cpu")(one, other)
    assert torch.equal(found, PerceptualDistance(Trained(state, ABOUT))(one, other))
