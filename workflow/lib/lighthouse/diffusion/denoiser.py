"""diffusers' DiTTransformer2DModel as a noise predictor ε_θ(z_t, t, c).

All are the reference's (facebookresearch/DiT, Peebles and Xie 2023): see ``as_reference``.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import DiTTransformer2DModel
from torch import Tensor, nn

from lighthouse.diffusion.loading import RECORD, load_model, save_model
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json

#: Where a model's record says how it embeds timesteps: neither weights nor config do.
FREQUENCIES = "timestep_frequencies"

#: Names of the frequencies exp(-ln 10⁴ · …), i = 0…half-1 with half = 128, by diffusers'
#: ``downscale_freq_shift``.
NAMES = {0: "i/half", 1: "i/(half-1)"}


def as_reference(model: DiTTransformer2DModel) -> DiTTransformer2DModel:
    """Have a diffusers DiT compute what the reference computes with the same weights; return it.

    Timesteps are embedded with the frequencies of i/half, where diffusers takes those of
    i/(half-1): outputs then differ by some percent. The norm before a block's MLP has
    epsilon 1e-6 as all others, where diffusers' default, and the config published with
    DiT-XL/2, is 1e-5. Under autocast the sum that runs through the blocks stays in the type
    of the weights, since the position table is in it; diffusers rounds it to bf16.
    """
    for block in model.transformer_blocks:
        block.norm1.emb.time_proj.downscale_freq_shift = 0
        block.norm3.eps = 1e-6
    model.register_to_config(norm_eps=1e-6)
    model.pos_embed.proj.register_forward_hook(_in_the_weights_type)
    return model


def _in_the_weights_type(layer: nn.Module, arguments: tuple, output: Tensor) -> Tensor:
    return output.to(layer.weight.dtype)


def frequencies_of(model: DiTTransformer2DModel) -> str:
    """The name of the frequencies by which a model embeds timesteps."""
    return NAMES[model.transformer_blocks[0].norm1.emb.time_proj.downscale_freq_shift]


def new_denoiser(
    options: Mapping, channels: int, side: int, n_classes: int
) -> DiTTransformer2DModel:
    """An untrained DiT for latents (channels, side, side), with the reference's first weights.

    ``options``: ``layers``, ``heads``, ``head_dim``, ``patch_size``, and
    ``learned_variance`` (off unless given): the variance of a step is predicted beside
    the noise, in as many channels again. ``activation`` of the MLPs: the reference's
    ``gelu-approximate`` unless given, or the exact ``gelu`` (ours), which CPUs compute four
    times as fast: of a small DiT's calls the other is a fifth.
    In eval mode, since its only dropout is that of labels, which diffusers draws apart in every
    block: the training loop drops labels itself, once an image. Weights are drawn from torch's
    global generator.
    """
    model = DiTTransformer2DModel(
        num_attention_heads=options["heads"],
        attention_head_dim=options["head_dim"],
        in_channels=channels,
        out_channels=2 * channels if options.get("learned_variance") else channels,
        num_layers=options["layers"],
        sample_size=side,
        patch_size=options["patch_size"],
        num_embeds_ada_norm=n_classes,
        norm_type="ada_norm_zero",
        activation_fn=options.get("activation", "gelu-approximate"),
    )
    _initialise(model)
    return as_reference(model).eval()


@torch.no_grad()
def _initialise(model: DiTTransformer2DModel) -> None:
    """Draw the reference's first weights.

    Xavier's uniform ones and no bias, patches as a linear layer; N(0, 0.02²) for the
    embeddings of timestep and class; zero for the modulations and the output, so that
    every block begins as the identity (adaLN-Zero, Peebles and Xie 2023, §3.2). DiT has
    one embedder: each block's copy is the first's.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight.flatten(1))
            nn.init.zeros_(layer.bias)
    for block in model.transformer_blocks:
        for layer in (block.attn1.to_q, block.attn1.to_k, block.attn1.to_v):
            # In the reference one matrix (3d, d), whose bound √(6 / 4d) is this layer's √(6 / 2d)
            # times √½.
            nn.init.xavier_uniform_(layer.weight, gain=0.5**0.5)
    modulations = [block.norm1.linear for block in model.transformer_blocks]
    for layer in (*modulations, model.proj_out_1, model.proj_out_2):
        nn.init.zeros_(layer.weight)
    first, *others = (block.norm1.emb for block in model.transformer_blocks)
    time = first.timestep_embedder
    for layer in (time.linear_1, time.linear_2, first.class_embedder.embedding_table):
        nn.init.normal_(layer.weight, std=0.02)
    for other in others:
        other.load_state_dict(first.state_dict())


def save_denoiser(model: DiTTransformer2DModel, folder: Path, about: Mapping) -> None:
    """Save a denoiser with its record, in which its frequencies stand, whole or not at all."""
    save_model(model, folder, {**about, FREQUENCIES: frequencies_of(model)})


def load_denoiser(folder: Path, device: object = "cpu") -> DiTTransformer2DModel:
    """Load a denoiser saved by ``save_denoiser``.

    Raises ``DataError`` where it was trained with other frequencies, or does not say, and
    where its weights are not those of its config.
    """
    check_frequencies(folder, f"Remove {folder}, and the next run trains it anew")
    return as_reference(load_model(DiTTransformer2DModel, Path(folder))).to(device)


def check_frequencies(folder: Path, advice: str) -> None:
    """Raise ``DataError`` where a model's record does not say the reference's frequencies."""
    path = Path(folder, RECORD)
    try:
        found = read_json(path)[FREQUENCIES]
    except (OSError, ValueError, LookupError, TypeError):  # no record, or none of ours
        raise DataError(
            f"{folder} holds a denoiser that may have been trained with another embedding of "
            f"timesteps than the reference DiT's: its {RECORD} has no {FREQUENCIES}. {advice}"
        ) from None
    if found != NAMES[0]:
        raise DataError(
            f"{folder} holds a denoiser that was trained with another embedding of timesteps than "
            f"the reference DiT's: {FREQUENCIES} in its {RECORD} is {found!r} and not "
            f"{NAMES[0]!r}. {advice}"
        )


def null_label(model: DiTTransformer2DModel) -> int:
    """The label that stands for no class."""
    return model.config.num_embeds_ada_norm


def width(model: DiTTransformer2DModel) -> int:
    """Numbers that stand for a token inside the model."""
    return model.config.num_attention_heads * model.config.attention_head_dim


def has_learned_variance(model: DiTTransformer2DModel) -> bool:
    """Whether the model predicts the variance of a step beside the noise."""
    return model.config.out_channels == 2 * model.config.in_channels


def embedders_are_equal(model: nn.Module) -> bool:
    """Whether all blocks embed timestep and class alike.

    DiT has one embedder. diffusers keeps one in each block: equal copies in the reference's
    weights and in our new models, independent ones in a DiT that diffusers made.
    """
    first, *others = (block.norm1.emb.state_dict() for block in model.transformer_blocks)
    return all(torch.equal(first[name], other[name]) for other in others for name in first)


@contextmanager
def cast_ahead(model: DiTTransformer2DModel, precision: str) -> Iterator[None]:
    """Within it, ``autocast`` finds in bf16 what it would cast anew at each call of a layer.

    These are the weights of linear layers that are not trained, and the input of attention, which
    three layers read. The same numbers; the weights take half as much memory again.
    """
    if precision != "bf16":
        yield
        return
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    own = [(layer.weight, layer.bias) for layer in layers]
    hooks = [block.attn1.register_forward_pre_hook(_in_bf16) for block in model.transformer_blocks]
    try:
        for layer in layers:
            layer.weight, layer.bias = (
                nn.Parameter(x.detach().bfloat16(), requires_grad=False)
                for x in (layer.weight, layer.bias)
            )
        yield
    finally:
        for layer, (weight, bias) in zip(layers, own, strict=True):
            layer.weight, layer.bias = weight, bias
        for hook in hooks:
            hook.remove()


def _in_bf16(layer: nn.Module, given: tuple) -> tuple:
    return given[0].bfloat16(), *given[1:]


def predict(model: DiTTransformer2DModel, z: Tensor, t: Tensor, labels: Tensor) -> Tensor:
    """What the model says of z_t (n, c, h, w) at steps t (n,) for labels (n,).

    ε̂, (n, c, h, w); with a learned variance ε̂ and then v, (n, 2c, h, w).
    """
    return model(z, timestep=t, class_labels=labels).sample


def features(
    model: DiTTransformer2DModel, z: Tensor, t: Tensor | None, labels: Tensor, depth: float
) -> Tensor:
    """What a DiT has made of z_t (n, c, h, w) behind some of its blocks: (n, tokens, width).

    depth: their share of all blocks, rounded up. No other block is run. t, labels: of ``predict``.
    """
    found = model.pos_embed(z)
    for block in model.transformer_blocks[: math.ceil(depth * len(model.transformer_blocks))]:
        found = block(  # as the model's own ``forward`` calls it
            found,
            attention_mask=None,
            encoder_hidden_states=None,
            encoder_attention_mask=None,
            timestep=t,
            cross_attention_kwargs=None,
            class_labels=labels,
        )
    return found
