"""Student networks. Imports torch alone: torchvision would double a job's start-up.

Each has ``features``, images (n, 3, S, S) to maps, or to one vector each, and ``head``, a linear
layer from these, flattened, to logits (n, n_classes).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from lighthouse.students.limits import STAGES, stem_size

#: Of vision transformers: inner width of an MLP over that of its tokens, and torchvision's ε.
MLP_RATIO, LAYER_NORM_EPSILON = 4, 1e-6


class Network(nn.Module):
    """Logits from features and head."""

    features: nn.Module
    head: nn.Linear

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.features(images).flatten(1))


class ConvNet(Network):
    """depth × [3×3 convolution, instance norm, ReLU, average pooling by 2], then linear.

    The dataset-distillation field's ConvNet-D. Instance norm is GroupNorm(C, C), affine.
    Images (n, 3, image_size, image_size) to logits (n, n_classes).
    """

    def __init__(self, depth: int, width: int, image_size: int, n_classes: int):
        super().__init__()
        layers: list[nn.Module] = []
        for level in range(depth):
            layers += [
                nn.Conv2d(width if level else 3, width, 3, padding=1),
                nn.GroupNorm(width, width),
                nn.ReLU(),
                nn.AvgPool2d(2),
            ]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(width * (image_size // 2**depth) ** 2, n_classes)


class ResNet(Network):
    """Four stages of basic blocks, 64 to 512 channels, mean over the last maps, linear.

    With ``pooled`` it is ResNetAP (Cazenavette et al., 2022; Kim et al., 2022): average
    pooling stands where ResNet has strides. The first layers depend on the image size as
    in the peers' code: up to 64 px a 3×3 convolution; up to 128 px the same and a pooling
    by 2; above, a 7×7 one and together a reduction by 4. Layers are named as torchvision
    names them, whose ResNet-18 this is at ``norm="batch"`` and more than 128 px.
    """

    def __init__(self, depth: int, norm: str, pooled: bool, image_size: int, n_classes: int):
        super().__init__()
        layers = _stem(stem_size(image_size), norm, pooled)
        channels = 64
        for stage, blocks in enumerate(STAGES[depth]):
            width = 64 * 2**stage
            layers[f"layer{stage + 1}"] = nn.Sequential(
                Block(channels, width, 2 if stage else 1, norm, pooled),
                *(Block(width, width, 1, norm, pooled) for _ in range(blocks - 1)),
            )
            channels = width
        layers["avgpool"] = nn.AdaptiveAvgPool2d(1)
        self.features = nn.Sequential(layers)
        self.head = nn.Linear(channels, n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut; ``stride`` 2 halves the side.

    ``pooled``: by average pooling behind the first ReLU and in the shortcut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, norm: str, pooled: bool):
        super().__init__()
        step = 1 if pooled else stride
        self.conv1 = nn.Conv2d(inputs, outputs, 3, step, padding=1, bias=False)
        self.bn1 = _norm(norm, outputs)
        self.relu = nn.ReLU()
        self.pool = nn.AvgPool2d(stride) if step < stride else nn.Identity()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = _norm(norm, outputs)
        self.downsample = nn.Identity()
        if stride > 1:
            shortcut = [nn.Conv2d(inputs, outputs, 1, step, bias=False), _norm(norm, outputs)]
            if pooled:
                shortcut.insert(1, nn.AvgPool2d(stride))
            self.downsample = nn.Sequential(*shortcut)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        inner = self.pool(self.relu(self.bn1(self.conv1(maps))))
        return self.relu(self.bn2(self.conv2(inner)) + self.downsample(maps))


def _norm(kind: str, channels: int) -> nn.Module:
    return nn.GroupNorm(channels, channels) if kind == "instance" else nn.BatchNorm2d(channels)


def _stem(size: str, norm: str, pooled: bool) -> OrderedDict[str, nn.Module]:
    side = 7 if size == "large" else 3
    stride = 2 if size == "large" and not pooled else 1
    layers = OrderedDict(
        conv1=nn.Conv2d(3, 64, side, stride, padding=side // 2, bias=False),
        bn1=_norm(norm, 64),
        relu=nn.ReLU(),
    )
    if size != "small":
        average = nn.AvgPool2d(4 if size == "large" else 2)
        layers["maxpool"] = average if pooled else nn.MaxPool2d(3, 2, padding=1)
    return layers


class ViT(Network):
    """Vision transformer (Dosovitskiy et al., ICLR 2021): patches, a class token, linear.

    A token for each patch × patch pixels and one for the class, of ``width`` numbers, with learned
    places; ``depth`` pre-norm blocks; the class token, normed, is the features. MLPs are
    ``MLP_RATIO`` as wide, nothing is dropped out, and first weights are torchvision's, whose
    ``VisionTransformer`` this computes (a test gives both the same weights).
    """

    def __init__(
        self, patch: int, depth: int, width: int, heads: int, image_size: int, n_classes: int
    ):
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                tokens=Tokens(patch, width, image_size),
                blocks=nn.Sequential(*(TransformerBlock(width, heads) for _ in range(depth))),
                norm=nn.LayerNorm(width, eps=LAYER_NORM_EPSILON),
                of_class=FirstToken(),
            )
        )
        self.head = nn.Linear(width, n_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)


class Tokens(nn.Module):
    """Images (n, 3, S, S) as tokens (n, 1 + (S / patch)², width), that of the class first."""

    def __init__(self, patch: int, width: int, image_size: int):
        super().__init__()
        self.project = nn.Conv2d(3, width, patch, patch)
        nn.init.trunc_normal_(self.project.weight, std=(3 * patch**2) ** -0.5)
        nn.init.zeros_(self.project.bias)
        self.of_class = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.empty(1, 1 + (image_size // patch) ** 2, width))
        nn.init.normal_(self.places, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """Tokens with their places added."""
        patches = self.project(images).flatten(2).transpose(1, 2)
        of_class = self.of_class.expand(len(patches), -1, -1)
        return torch.cat([of_class, patches], dim=1) + self.places


class TransformerBlock(nn.Module):
    """Attention and an MLP, each behind a layer norm and beside a shortcut."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        inner = MLP_RATIO * width
        self.mlp = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
        for layer in (self.mlp[0], self.mlp[2]):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (n, count, width) to the same."""
        tokens = tokens + self.attention(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class Attention(nn.Module):
    """Multi-head self-attention, written out.

    Torch's fused kernels cannot be differentiated twice, as a surrogate is, and on an accelerator
    their gradients need not repeat themselves.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.query_key_value.weight)
        nn.init.zeros_(self.query_key_value.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (n, count, width) to the same."""
        parts = self.query_key_value(tokens).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, count, width / heads)
        alike = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        return self.out((alike.softmax(-1) @ value).transpose(1, 2).flatten(2))


class FirstToken(nn.Module):
    """Tokens (n, count, width) to the first of each, (n, width)."""

    def forward(self, tokens: Tensor) -> Tensor:
        """That of the class."""
        return tokens[:, 0]


NETWORKS: dict[str, Callable[[Mapping, int, int], Network]] = {
    "convnet": lambda options, image_size, n_classes: ConvNet(
        options["depth"], options["width"], image_size, n_classes
    ),
    "resnet-ap": lambda options, image_size, n_classes: ResNet(
        options["depth"], "instance", True, image_size, n_classes
    ),
    "resnet": lambda options, image_size, n_classes: ResNet(
        options["depth"], options["norm"], False, image_size, n_classes
    ),
    "vit": lambda options, image_size, n_classes: ViT(
        *(options[key] for key in ("patch", "depth", "width", "heads")), image_size, n_classes
    ),
}


def is_stackable(options: Mapping, image_size: int) -> bool:
    """Whether networks of a kind can be trained several at once (``students.stacked``).

    They can where a training changes weights alone; batch norm keeps running statistics as
    well, in buffers.
    """
    with torch.device("meta"):  # no numbers are drawn
        network = NETWORKS[options["network"]](options, image_size, 1)
    return not any(True for _ in network.buffers())
