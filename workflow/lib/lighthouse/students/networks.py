"""Student networks. Imports torch alone: torchvision would double a job's start-up."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn


class ConvNet(nn.Module):
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

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.features(images).flatten(1))


NETWORKS: dict[str, Callable[[Mapping, int, int], nn.Module]] = {
    "convnet": lambda options, image_size, n_classes: ConvNet(
        options["depth"], options["width"], image_size, n_classes
    ),
}
