"""IGD's influence guidance: towards images that train a network as the class's real ones do.

Chen et al., ICLR 2025: z_{t-1} ← z_{t-1} - k ρ_t ∇_{z_t} G_I, where G_I is the mean over
the surrogate's checkpoints e of 1 - cos(∇_θ ℓ(f_θe(decode(ẑ₀)), c), ḡ_{c,e}).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from lighthouse.guidance.context import Context
from lighthouse.guidance.directions import directions
from lighthouse.guidance.state import State
from lighthouse.runtime.errors import DataError
from lighthouse.students.surrogate import Surrogate, loss_gradient

#: Added to the product of the gradients' lengths, as the public code has it: a
#: checkpoint that is certain of an image, and has next to no gradient, pulls less.
EPSILON = 1e-6


def distance(gradient: Tensor, target: Tensor) -> Tensor:
    """1 - cos of two whole gradients, (P,) each, of all parameters together."""
    return 1 - gradient @ target / (gradient.norm() * target.norm() + EPSILON)


def pixel_gradient(
    image: Tensor, label: int, networks: Sequence[nn.Module], targets: Sequence[Tensor]
) -> Tensor:
    """∂G_I/∂image of one image, (1, 3, H, W), through the networks' loss gradients.

    networks: at the kept epochs; targets: ḡ_{c,e} of each, (P,). One network is at work
    at a time.
    """
    image = image.detach().requires_grad_()
    labels = torch.tensor([label], device=image.device)
    found = torch.zeros_like(image)
    for network, target in zip(networks, targets, strict=True):
        gradient = loss_gradient(network, image, labels, differentiable=True)
        with torch.enable_grad():
            part = distance(gradient, target)
        found += torch.autograd.grad(part, image)[0]
    return found / len(networks)


def influence_gradient(
    state: State,
    networks: Sequence[nn.Module],
    targets: Sequence[Tensor],
    decode: Callable[[Tensor], Tensor],
) -> Tensor:
    """∇_{z_t} G_I for the free latents, (B, G, D): through surrogate, decoder and denoiser.

    Decoded images, about [-1, 1], are neither clamped nor rounded. Each image is a call of
    its own: a batch would hold the activations of all, and change the last bits of each.
    The way back at the image is the chain rule's: decoder and denoiser are walked back once,
    not once for each checkpoint, and the denoiser's pass is the sampler's own.
    """
    slopes = []
    for latent in state.predicted.flatten(0, 1).split(1):
        with torch.enable_grad():
            clean = latent.detach().requires_grad_()
            image = decode(clean.view(1, *state.shape))
        pixels = pixel_gradient(image, state.label, networks, targets)
        slopes.append(torch.autograd.grad(image, clean, pixels)[0])
    return state.slope(torch.cat(slopes).view_as(state.z))


def influence_direction(
    state: State,
    scale: float,
    networks: Sequence[nn.Module],
    targets: Callable[[int], Sequence[Tensor]],
    decode: Callable[[Tensor], Tensor],
) -> Tensor:
    """ρ_t ∇_{z_t} G_I, (B, G, D); ρ_t = √(1-ᾱ_t) · scale · RMS(ε̂)/RMS(∇G_I), image by image.

    A gradient of zero, as of an image whose class all networks are certain of, gives zero; any
    other, however small, is scaled up to that length.
    targets: a class's ḡ_{c,e}.
    """
    gradient = influence_gradient(state, networks, targets(state.label), decode)
    length = (1 - state.alpha_bar) ** 0.5 * scale * state.noise.norm(dim=-1, keepdim=True)
    return length * directions(gradient)[0]


def influence(options: Mapping, context: Context) -> Callable[[State], Tensor]:
    """The term. ``options``: ``scale``.

    Raises ``DataError`` where the surrogate knows other classes than the job.
    """
    surrogate = Surrogate(context.surrogate, context.device)
    if surrogate.about["classes"] != list(context.classes):
        raise DataError(
            f"{context.surrogate} is a surrogate of other classes than those of "
            f"{context.dataset}: remove it, and it is trained anew"
        )
    return partial(
        influence_direction,
        scale=options["scale"],
        networks=surrogate.networks,
        targets=surrogate.gradients,
        decode=context.decode,
    )
