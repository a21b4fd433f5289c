"""Students' networks: sizes as published, and what too small an image leaves of them."""

import pytest
import torch

from lighthouse.students.limits import network_problem, teacher_problem
from lighthouse.students.networks import NETWORKS, ConvNet
from lighthouse.students.trainer import accuracy, train_student
from toy_students import PROTOCOL, bars

CONVNET6 = {"network": "convnet", "depth": 6, "width": 128}
RESNET_AP10 = {"network": "resnet-ap", "depth": 10}
RESNET18_IN = {"network": "resnet", "depth": 18, "norm": "instance"}
RESNET18_BN = {"network": "resnet", "depth": 18, "norm": "batch"}
VIT_TINY = {"network": "vit", "patch": 16, "depth": 12, "width": 192, "heads": 3}
VIT = {"network": "vit", "patch": 8, "depth": 2, "width": 24, "heads": 3}


def build(options, image_size, n_classes=10):
    return NETWORKS[options["network"]](options, image_size, n_classes)


@pytest.mark.parametrize(
    ("options", "image_size", "published"),
    [
        (CONVNET6, 224, 754_570),
        (CONVNET6, 256, 763_530),
        (RESNET_AP10, 224, 4_910_922),
        (RESNET18_IN, 224, 11_181_642),
        (RESNET18_BN, 256, 11_181_642),
        # Published with 1000 classes as 5.7 M.
        (VIT_TINY, 224, 5_526_346),
        # Up to 128 px the first convolution is 3×3 in place of 7×7: 40 × 3 × 64 weights less.
        (RESNET_AP10, 128, 4_910_922 - 7_680),
        (RESNET18_IN, 64, 11_181_642 - 7_680),
    ],
)
def test_a_network_has_the_published_number_of_parameters(options, image_size, published):
    network = build(options, image_size)
    assert sum(p.numel() for p in network.parameters()) == published


def size(depth, width, image_size, n_classes):
    """Parameters of a ConvNet: convolutions, norms, head."""
    first = 3 * width * 9 + width
    others = (depth - 1) * (width * width * 9 + width)
    side = image_size // 2**depth
    return first + others + depth * 2 * width + width * side**2 * n_classes + n_classes


@pytest.mark.parametrize("shape", [(3, 16, 32, 10), (5, 8, 40, 7)])
def test_a_convnet_has_the_parameters_of_the_formula(shape):
    assert sum(p.numel() for p in ConvNet(*shape).parameters()) == size(*shape)


@pytest.mark.parametrize("options", [RESNET_AP10, RESNET18_IN, RESNET18_BN, VIT])
@pytest.mark.parametrize("image_size", [32, 96, 136])
def test_a_network_gives_a_logit_a_class_from_features_and_head(options, image_size):
    network = build(options, image_size, 7).eval()
    images = torch.rand(2, 3, image_size, image_size)
    logits = network(images)
    assert logits.shape == (2, 7)
    assert torch.equal(network.head(network.features(images).flatten(1)), logits)


@pytest.mark.parametrize(
    ("options", "image_size", "sides"),
    [
        # Stem, then layers 1 to 4.
        (RESNET_AP10, 224, [56, 56, 28, 14, 7]),
        (RESNET_AP10, 96, [48, 48, 24, 12, 6]),
        (RESNET_AP10, 64, [64, 64, 32, 16, 8]),
        (RESNET18_IN, 224, [56, 56, 28, 14, 7]),
        (RESNET18_IN, 96, [48, 48, 24, 12, 6]),
        (RESNET18_IN, 64, [64, 64, 32, 16, 8]),
    ],
)
def test_the_stages_of_a_resnet_see_the_sides_of_the_peers_code(options, image_size, sides):
    maps, found = torch.zeros(1, 3, image_size, image_size), []
    for name, layer in build(options, image_size).features.named_children():
        if name == "layer1":
            found.append(maps.shape[-1])
        maps = layer(maps)
        if name.startswith("layer"):
            found.append(maps.shape[-1])
    assert found == sides


def test_average_pooling_stands_where_a_resnet_has_strides():
    pooled, strided = build(RESNET_AP10, 224), build(RESNET18_IN, 224)

    def strides(network):
        layers = network.modules()
        return {layer.stride for layer in layers if isinstance(layer, torch.nn.Conv2d)}

    assert strides(pooled) == {(1, 1)}
    assert strides(strided) == {(1, 1), (2, 2)}
    assert not any(isinstance(layer, torch.nn.MaxPool2d) for layer in pooled.modules())


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"network": "convnet", "depth": 3, "width": 4}, 8),
        (RESNET_AP10, 16),
        (RESNET18_IN, 9),
        (RESNET18_BN, 1),
    ],
)
def test_the_smallest_image_that_leaves_something_is_the_one_allowed(options, least):
    """At it a network tells two images apart; one pixel less is refused."""
    assert network_problem(options, least) is None
    if least > 1:
        assert network_problem(options, least - 1)
    torch.manual_seed(0)
    images = torch.rand(2, 3, least, least)
    first, second = build(options, least).eval().features(images)
    assert not torch.allclose(first, second)


@pytest.mark.parametrize(("options", "side"), [(RESNET_AP10, 15), (RESNET18_IN, 8)])
def test_a_pixel_less_leaves_the_last_norm_nothing(options, side):
    torch.manual_seed(0)
    layers = build(options, side).features
    last = layers.layer4[-1].bn2
    outputs = []
    last.register_forward_hook(lambda module, given, made: outputs.append(made))
    layers(torch.rand(2, 3, side, side))
    assert outputs[0].abs().max() < 1e-3


def test_a_convnet_too_deep_is_refused_in_words():
    found = network_problem({"network": "convnet", "depth": 6, "width": 128}, 32)
    assert found == "6 halvings leave nothing of 32 px; allowed: depth at most 5"


def test_an_unknown_depth_of_a_resnet_is_refused_in_words():
    found = network_problem({**RESNET18_BN, "depth": 12}, 224)
    assert found == "depth 12 is not known; allowed: 10, 18"


IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "size": 224}
TORCHVISION = {**IMAGENET, "teacher": {"network": "resnet18-bn", "weights": "torchvision"}}


def test_torchvisions_weights_teach_a_protocol_with_imagenets_colours():
    assert teacher_problem(TORCHVISION, RESNET18_BN) is None


@pytest.mark.parametrize(
    ("change", "network", "words"),
    [
        ({}, RESNET18_IN, "batch norm"),
        ({}, RESNET_AP10, "depth 18"),
        ({"mean": [0.5, 0.5, 0.5]}, RESNET18_BN, "expect mean"),
        ({"size": 96}, RESNET18_BN, "more than 128 px"),
    ],
)
def test_torchvisions_weights_are_refused_where_they_do_not_fit(change, network, words):
    assert words in teacher_problem({**TORCHVISION, **change}, network)


def test_a_teacher_of_ones_own_may_be_anything():
    own = {**TORCHVISION, "mean": [0.5] * 3, "teacher": {"network": "x", "weights": None}}
    assert teacher_problem(own, RESNET_AP10) is None


# Vision transformers.


def test_a_vit_tiny_has_the_published_parameters_with_a_thousand_classes():
    network = build(VIT_TINY, 224, 1000)
    assert sum(p.numel() for p in network.parameters()) == 5_717_416


def torchvisions(options, image_size, n_classes):
    """torchvision's vision transformer of the same sizes."""
    # Imported here: no student needs torchvision.
    from torchvision.models import VisionTransformer

    return VisionTransformer(
        image_size,
        options["patch"],
        options["depth"],
        options["heads"],
        options["width"],
        4 * options["width"],
        num_classes=n_classes,
    )


#: Names of ours and torchvision's.
NAMES = {
    "features.tokens.project": "conv_proj",
    "features.tokens.of_class": "class_token",
    "features.tokens.places": "encoder.pos_embedding",
    "features.norm": "encoder.ln",
    "features.blocks.": "encoder.layers.encoder_layer_",
    "norm1": "ln_1",
    "norm2": "ln_2",
    "attention.query_key_value.": "self_attention.in_proj_",
    "attention.out": "self_attention.out_proj",
    "mlp.2": "mlp.3",
    "head.": "heads.head.",
}


def as_torchvision_names(name):
    for own, theirs in NAMES.items():
        name = name.replace(own, theirs)
    return name


def test_a_vit_computes_what_torchvisions_does_with_the_same_weights():
    torch.manual_seed(0)
    own, theirs = build(VIT, 32).eval(), torchvisions(VIT, 32, 10).eval()
    torch.nn.init.normal_(own.head.weight)
    theirs.load_state_dict({as_torchvision_names(k): v for k, v in own.state_dict().items()})
    images = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(own(images), theirs(images), rtol=1e-5, atol=1e-5)


def test_a_vit_begins_with_weights_of_torchvisions_distribution():
    torch.manual_seed(0)
    wide = {**VIT, "width": 192}
    theirs = torchvisions(wide, 32, 10).state_dict()
    for name, own in build(wide, 32).state_dict().items():
        other = theirs[as_torchvision_names(name)]
        assert own.shape == other.shape
        close = torch.testing.assert_close
        close(own.std(), other.std(), rtol=0.12, atol=1e-6, msg=name) if own.numel() > 500 else None
        assert own.mean() == pytest.approx(float(other.mean()), abs=0.02), name


def test_a_vit_learns():
    protocol = {**PROTOCOL, "batch_size": [[20, 10]], "epochs": [[20, 40]], "evaluations": 0}
    network, _ = train_student(bars(60, 0), bars(60, 1), {**VIT, "patch": 4}, protocol, 20, 0)
    assert accuracy(network, bars(60, 1), PROTOCOL["mean"], PROTOCOL["std"]) > 0.9


def test_a_vit_tells_where_a_patch_is():
    torch.manual_seed(0)
    network = build(VIT, 32)
    one, other = torch.zeros(2, 1, 3, 32, 32)
    one[..., :8, :8], other[..., -8:, -8:] = 1, 1
    assert not torch.allclose(network.features(one), network.features(other), atol=1e-4)


def test_a_vit_can_be_differentiated_twice_as_a_surrogate_is():
    torch.manual_seed(0)
    network, images = build(VIT, 16), torch.rand(2, 3, 16, 16, requires_grad=True)
    torch.nn.init.normal_(network.head.weight)
    loss = network(images).square().sum()
    (slope,) = torch.autograd.grad(loss, network.features.tokens.of_class, create_graph=True)
    (second,) = torch.autograd.grad(slope.square().sum(), images)
    assert torch.isfinite(second).all() and second.abs().max() > 0


@pytest.mark.parametrize(
    ("options", "size", "words"),
    [
        (VIT, 20, "patches of 8 px do not divide 20 px; allowed: 1, 2, 4, 5, 10, 20"),
        (
            {**VIT, "heads": 5},
            16,
            "5 heads do not divide the width 24; allowed: 1, 2, 3, 4, 6, 8, 12, 24",
        ),
        (VIT, 16, None),
        (VIT_TINY, 224, None),
    ],
)
def test_what_does_not_divide_is_refused_in_words(options, size, words):
    assert network_problem(options, size) == words
