"""Toy models and data that several test files share: small, random, and the same every time."""

import numpy as np
import torch

from lighthouse.datasets.latents import LATENTS, MEANS
from lighthouse.diffusion.denoiser import new_denoiser
from lighthouse.diffusion.encoding import class_means
from lighthouse.diffusion.sampler import Sets, sets_of
from lighthouse.runtime.files import write_arrays
from lighthouse.runtime.rng import image_generators

CLASSES = ("ant", "bee", "cat")
CHANNELS, SIDE = 4, 4
DIM = CHANNELS * SIDE * SIDE
#: Options of an autoencoder of next to no size, and of its training.
AUTOENCODER = {
    "block_out_channels": [4, 8],
    "latent_channels": 2,
    "layers_per_block": 1,
    "norm_num_groups": 2,
    "kl_weight": 1e-4,
    "steps": 3,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "schedule": {"kind": "constant"},
    "gradient_clip": None,
}


def toy_denoiser(seed=0, learned_variance=False):
    """A two-layer DiT whose output depends on its input, and whose samples stay near 1.

    A new DiT's last layer is zero: every parameter is drawn again. Its noise is the
    latent plus a little of what the DiT says, as a trained one's is at high noise.
    """
    options = {
        "layers": 2,
        "heads": 2,
        "head_dim": 8,
        "patch_size": 2,
        "learned_variance": learned_variance,
    }
    model = redrawn(new_denoiser(options, CHANNELS, SIDE, len(CLASSES)), 0.2, seed)
    model.register_forward_hook(_near_the_latent)
    return model


def redrawn(model, std, seed=0):
    """The model with every parameter drawn anew from a normal distribution."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(std * torch.randn(parameter.shape, generator=rng))
    return model


def embedding_alike(model, std=0.3):
    """The model with every weight drawn anew, all but the embedder's copies."""
    first, *others = (block.norm1.emb for block in redrawn(model, std).transformer_blocks)
    for other in others:
        other.load_state_dict(first.state_dict())
    return model


def _near_the_latent(model, arguments, output):
    noise, *variance = output.sample.split(arguments[0].shape[1], dim=1)
    output.sample = torch.cat([arguments[0] + 0.1 * noise, *variance], dim=1)
    return output


def toy_means():
    """Mean latents of the classes, (3, 4, 4, 4)."""
    rng = torch.Generator().manual_seed(1)
    return torch.randn(len(CLASSES), CHANNELS, SIDE, SIDE, generator=rng)


def toy_sets(ipc, seeds=(0,), classes=(0, 1, 2)):
    """Sets of some of the classes, with fresh generators."""
    everything = sets_of("toy", CLASSES, toy_means(), seeds, ipc)
    rows = [s * len(CLASSES) + c for s in range(len(seeds)) for c in classes]
    return Sets(
        dataset=everything.dataset,
        labels=everything.labels[rows],
        seeds=[everything.seeds[i] for i in rows],
        names=[everything.names[i] for i in rows],
        class_means=everything.class_means[rows],
        generators=[everything.generators[i] for i in rows],
        shape=everything.shape,
    )


def noise_of(seed, class_name, index, shape=(CHANNELS, SIDE, SIDE)):
    """The first noise of one image."""
    (rng,) = image_generators(seed, "toy", class_name, [index])
    return torch.randn(shape, generator=rng)


def write_latents(folder, first_views, labels):
    """A folder of latents (n, D) with a second view that nothing may come from."""
    folder.mkdir()
    views = first_views.reshape(-1, 1, CHANNELS, SIDE, SIDE).astype(np.float32)
    np.save(folder / LATENTS, np.concatenate([views, np.full_like(views, 1e6)], axis=1))
    means = class_means(views, labels, len(CLASSES))
    write_arrays(
        folder / MEANS, {"labels": labels, "class_means": means}, {"classes": list(CLASSES)}
    )
    return folder
