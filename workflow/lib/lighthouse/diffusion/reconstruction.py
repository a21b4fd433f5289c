"""The loss that an autoencoder is trained by: how far decoded images are from the real ones."""

from collections.abc import Callable, Mapping

import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor

from lighthouse.runtime.precision import autocast

#: Images (n, 3, H, W) and as many others, floats in about [-1, 1], to a mean over them all.
Distance = Callable[[Tensor, Tensor], Tensor]
#: Terms of the loss by the keys of ``losses`` in the config; ``perceptual`` is a trained network's.
PIXELS: dict[str, Distance] = {
    "squared": lambda images, others: (images - others).square().mean(),
    "absolute": lambda images, others: (images - others).abs().mean(),
}
#: Weights of the terms where the config has none.
PLAIN = {"squared": 1}


class ReconstructionLoss:
    """Weighted distances of decoded images from the real ones, and kl_weight · KL a latent number.

    options: the dataset's ``autoencoder``. perceptual: the distance in a classifier's features,
    needed where its weight is above 0. What has no weight is not computed.
    """

    def __init__(self, options: Mapping, perceptual: Distance | None = None):
        weights = options.get("losses", PLAIN)
        known = {**PIXELS, "perceptual": perceptual}
        self.terms = {name: (known[name], weights[name]) for name in known if weights.get(name)}
        self.kl_weight = options["kl_weight"]
        self.precision = options.get("precision", "fp32")

    def __call__(
        self, model: AutoencoderKL, images: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """The loss of images (n, 3, H, W) in [-1, 1], its terms before weights, and the decoded.

        The posterior's noise is drawn from ``rng``. Networks compute in ``precision``, all that is
        reckoned from what they return in float32.
        """
        with autocast(images.device, self.precision):
            moments = model.encode(images).latent_dist.parameters
            posterior = DiagonalGaussianDistribution(moments.float())
            noise = torch.randn(posterior.mean.shape, generator=rng).to(images.device)
            decoded = model.decode(posterior.mean + posterior.std * noise).sample.float()
            found = {name: distance(decoded, images) for name, (distance, _) in self.terms.items()}
        found["kl"] = posterior.kl().mean() / posterior.mean[0].numel()
        loss = sum(weight * found[name] for name, (_, weight) in self.terms.items())
        return loss + self.kl_weight * found["kl"], found, decoded
