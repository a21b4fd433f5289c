"""How differently a classifier sees two images: LPIPS with all weights 1."""

from pathlib import Path

from torch import Tensor, nn

from lighthouse.metrics.features import load_extractor

#: What the maps that are compared come before.
POOLING = (nn.AvgPool2d, nn.MaxPool2d)
#: Below a squared length of this a map's features have no direction, and hardly a gradient.
LEAST = 1e-8


class PerceptualDistance(nn.Module):
    """Σ_l mean over places of ‖ŷ_l - ŷ'_l‖², ŷ_l the maps at depth l of unit length at each place.

    Zhang et al., 2018, Eq. 1, without their learnt weights (ours: all are 1), in the features of
    an extractor with ``layers`` (``metrics.features.Network``): the maps that each pooling takes
    in, and the last ones. It is not trained.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def forward(self, images: Tensor, others: Tensor) -> Tensor:
        """The mean over images and as many others, (n, 3, H, W) floats in about [-1, 1].

        At their own size, whatever the extractor scales images to. Differentiable in both.
        """
        pairs = zip(self._maps(images), self._maps(others), strict=True)
        return sum((one - other).square().sum(1).mean() for one, other in pairs)

    def _maps(self, images: Tensor) -> list[Tensor]:
        maps, found = self.network.normalised((images + 1) / 2), []
        for layer in self.network.layers:
            if isinstance(layer, POOLING):
                found.append(maps)
            maps = layer(maps)
        if not isinstance(layer, POOLING):
            found.append(maps)
        return [_directions(maps.float()) for maps in found]


def _directions(maps: Tensor) -> Tensor:
    return maps / (maps.square().sum(1, keepdim=True) + LEAST).sqrt()


def load_distance(path: Path, device: object) -> PerceptualDistance:
    """The distance in the features of an extractor that ``make_extractor`` wrote."""
    return PerceptualDistance(load_extractor(path, device).network)
