"""Our DiT against the reference's formulas (Peebles and Xie 2023; facebookresearch/DiT).

The forward pass is written out here in float64 numpy, from the formulas. What a checkout of
the reference itself gives is compared in ``test_reference_checkout.py``.
"""

import math

import numpy as np
import pytest
import torch
from diffusers import DiTTransformer2DModel

from lighthouse.diffusion.denoiser import (
    as_reference,
    embedders_are_equal,
    load_denoiser,
    new_denoiser,
    predict,
    save_denoiser,
)
from lighthouse.diffusion.pretrained import load_pretrained_denoiser
from lighthouse.diffusion.schedule import ancestral
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json, write_json
from sampling import space_timesteps
from toy import embedding_alike

OPTIONS = {"layers": 2, "heads": 2, "head_dim": 8, "patch_size": 2, "learned_variance": True}
CHANNELS, SIDE, CLASSES = 4, 6, 3


# The formulas.


def time_table(t):
    """cos and sin of t · exp(-ln 10⁴ · i/128), i = 0…127, in float32 as in the reference."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(128, dtype=torch.float32) / 128)
    angles = t[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def position_table(side, width):
    """(side², width): the column's sine and cosine, then the row's, rounded to float32."""
    rate = 10_000.0 ** (-np.arange(width // 4) / (width // 4))
    rows, columns = np.divmod(np.arange(side * side), side)
    angles = [columns[:, None] * rate, rows[:, None] * rate]
    table = np.concatenate([f(a) for a in angles for f in (np.sin, np.cos)], axis=1)
    return table.astype(np.float32).astype(np.float64)


def silu(x):
    return x / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def norm(x, scale, shift):
    """Layer norm without weights, then the modulation."""
    centred = x - x.mean(-1, keepdims=True)
    unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6)
    return unit * (1 + scale[:, None]) + shift[:, None]


class Formulas:
    """The reference's forward pass with the weights of one of our models."""

    def __init__(self, model):
        self.config = model.config
        self.weights = {name: w.double().numpy() for name, w in model.state_dict().items()}

    def linear(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def __call__(self, z, t, labels):
        """(n, c, h, w) float64, t and labels (n,): (n, 2c, h, w)."""
        condition = silu(self.condition(t, labels))
        x = self.tokens(z)
        for number in range(self.config.num_layers):
            x = self.block(f"transformer_blocks.{number}", x, condition)
        shift, scale = np.split(self.linear("proj_out_1", condition), 2, axis=1)
        return self.image(self.linear("proj_out_2", norm(x, scale, shift)))

    def condition(self, t, labels):
        name = "transformer_blocks.0.norm1.emb"
        hidden = self.linear(f"{name}.timestep_embedder.linear_1", time_table(t).double().numpy())
        table = self.weights[f"{name}.class_embedder.embedding_table.weight"]
        return self.linear(f"{name}.timestep_embedder.linear_2", silu(hidden)) + table[labels]

    def tokens(self, z):
        n, c, side, _ = z.shape
        p, grid = self.config.patch_size, side // self.config.patch_size
        patches = z.reshape(n, c, grid, p, grid, p).transpose(0, 2, 4, 1, 3, 5)
        kernel = self.weights["pos_embed.proj.weight"]
        tokens = patches.reshape(n, grid * grid, -1) @ kernel.reshape(len(kernel), -1).T
        return tokens + self.weights["pos_embed.proj.bias"] + position_table(grid, len(kernel))

    def block(self, name, x, condition):
        parts = np.split(self.linear(f"{name}.norm1.linear", condition), 6, axis=1)
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = parts
        x = x + gate[:, None] * self.attention(f"{name}.attn1", norm(x, scale, shift))
        hidden = gelu(self.linear(f"{name}.ff.net.0.proj", norm(x, mlp_scale, mlp_shift)))
        return x + mlp_gate[:, None] * self.linear(f"{name}.ff.net.2", hidden)

    def attention(self, name, x):
        n, tokens, width = x.shape
        heads = (n, tokens, self.config.num_attention_heads, -1)
        q, k, v = (self.linear(f"{name}.to_{part}", x).reshape(heads) for part in "qkv")
        logits = np.einsum("nihd,njhd->nhij", q, k) / np.sqrt(q.shape[-1])
        shares = np.exp(logits - logits.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = np.einsum("nhij,njhd->nihd", shares, v).reshape(n, tokens, width)
        return self.linear(f"{name}.to_out.0", mixed)

    def image(self, x):
        n, tokens, _ = x.shape
        p, grid = self.config.patch_size, math.isqrt(tokens)
        patches = x.reshape(n, grid, grid, p, p, self.config.out_channels)
        return patches.transpose(0, 5, 1, 3, 2, 4).reshape(n, -1, grid * p, grid * p)


def new():
    return embedding_alike(new_denoiser(OPTIONS, CHANNELS, SIDE, CLASSES))


def asked():
    rng = torch.Generator().manual_seed(3)
    z = torch.randn(4, CHANNELS, SIDE, SIDE, generator=rng, dtype=torch.float64)
    return z, torch.tensor([0, 20, 511, 999]), torch.tensor([0, 1, 2, CLASSES])


def differs(model):
    """Largest difference of a model in float64 from the formulas, in their largest output."""
    z, t, labels = asked()
    expected = Formulas(model)(z.numpy(), t, labels)
    with torch.no_grad():
        got = predict(model.double(), z, t, labels).numpy()
    return abs(got - expected).max() / abs(expected).max()


def saved_and_loaded(folder):
    save_denoiser(new(), folder / "ours", {})
    return load_denoiser(folder / "ours")


def of_the_hub(folder):
    """As diffusers saves and publishes it, with its epsilon and without a record of ours."""
    model = new()
    model.register_to_config(norm_eps=1e-5)
    model.save_pretrained(folder / "hub" / "transformer")
    return load_pretrained_denoiser(folder / "hub", CHANNELS, SIDE)


@pytest.mark.parametrize("made", [lambda folder: new(), saved_and_loaded, of_the_hub])
def test_a_forward_pass_is_the_references_formulas(made, tmp_path):
    assert differs(made(tmp_path)) < 1e-12


def test_diffusers_own_dit_is_another_function_of_the_same_weights(tmp_path):
    new().save_pretrained(tmp_path)
    theirs = DiTTransformer2DModel.from_pretrained(tmp_path, norm_eps=1e-5)
    assert differs(theirs) > 0.01
    assert differs(as_reference(theirs)) < 1e-12


@pytest.mark.parametrize(
    "change",
    [
        lambda block: setattr(block.norm1.emb.time_proj, "downscale_freq_shift", 1),
        lambda block: setattr(block.norm3, "eps", 1e-5),
    ],
    ids=["frequencies", "epsilon"],
)
def test_the_formulas_see_what_a_single_block_does_otherwise(change):
    model = new()
    change(model.transformer_blocks[1])
    assert differs(model) > 1e-8


def test_timesteps_are_embedded_with_the_references_frequencies():
    t = torch.tensor([0, 1, 999])
    table = new().transformer_blocks[1].norm1.emb.time_proj(t)
    assert torch.equal(table, time_table(t))
    # By hand: half-way, at i = 64, the frequency is 10⁻², and it ends above 10⁻⁴.
    assert table[1, 64].item() == pytest.approx(math.cos(0.01))
    assert table[1, 255].item() == pytest.approx(math.sin(10 ** (-4 * 127 / 128)))
    exact = 999 * 10.0 ** (-4 * np.arange(128) / 128)
    np.testing.assert_allclose(table[2, 128:], np.sin(exact), atol=1e-4)


def test_under_autocast_the_sum_through_the_blocks_is_float32():
    model, seen = new(), []
    for block in model.transformer_blocks:
        block.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].dtype))
    z, t, labels = asked()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        predict(model, z.float(), t, labels)
    assert seen == [torch.float32, torch.float32]


# The first weights.

WIDTH = 64
#: Bounds of the uniform weights of a block: √(6 / (inputs + outputs)), in the reference of
#: one matrix that gives queries, keys and values.
BOUNDS = {
    "attn1.to_q": math.sqrt(6 / (WIDTH + 3 * WIDTH)),
    "attn1.to_k": math.sqrt(6 / (WIDTH + 3 * WIDTH)),
    "attn1.to_v": math.sqrt(6 / (WIDTH + 3 * WIDTH)),
    "attn1.to_out.0": math.sqrt(6 / (WIDTH + WIDTH)),
    "ff.net.0.proj": math.sqrt(6 / (WIDTH + 4 * WIDTH)),
    "ff.net.2": math.sqrt(6 / (4 * WIDTH + WIDTH)),
}
NORMAL = ("timestep_embedder.linear_1", "timestep_embedder.linear_2")


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    options = {**OPTIONS, "heads": 4, "head_dim": WIDTH // 4}
    return new_denoiser(options, CHANNELS, SIDE, 200)


def assert_uniform(weight, bound):
    assert 0.99 * bound < weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.04)


def test_first_weights_are_xaviers(untrained):
    for block in untrained.transformer_blocks:
        for name, bound in BOUNDS.items():
            assert_uniform(block.get_submodule(name).weight, bound)
    patches = CHANNELS * OPTIONS["patch_size"] ** 2
    assert_uniform(untrained.pos_embed.proj.weight, math.sqrt(6 / (patches + WIDTH)))


def test_first_embeddings_are_small_and_one_for_all_blocks(untrained):
    assert embedders_are_equal(untrained)
    embedder = untrained.transformer_blocks[0].norm1.emb
    tables = [embedder.get_submodule(name).weight for name in NORMAL]
    for weight in (*tables, embedder.class_embedder.embedding_table.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.04)
        assert abs(weight.mean().item()) < 1e-3
    assert embedder.class_embedder.embedding_table.weight.shape == (201, WIDTH)


def test_biases_modulations_and_output_begin_as_zero(untrained):
    zero = {name for name, weight in untrained.named_parameters() if not weight.any()}
    every = dict(untrained.named_parameters())
    assert zero == {
        name
        for name in every
        if name.endswith("bias") or "norm1.linear" in name or name.startswith("proj_out")
    }


# The steps.


def test_every_number_of_steps_is_respaced_as_in_the_reference():
    for steps in range(2, 1001):
        assert ancestral(steps).timesteps.tolist()[::-1] == space_timesteps(steps)


# The record.


def trained_with_others():
    model = new()
    for block in model.transformer_blocks:
        block.norm1.emb.time_proj.downscale_freq_shift = 1
    return model


def test_a_models_record_says_its_frequencies(tmp_path):
    save_denoiser(new(), tmp_path / "ours", {"seed": 7})
    save_denoiser(trained_with_others(), tmp_path / "theirs", {})
    ours, theirs = (read_json(tmp_path / name / "lighthouse.json") for name in ("ours", "theirs"))
    assert ours == {"seed": 7, "timestep_frequencies": "i/half"}
    assert theirs == {"timestep_frequencies": "i/(half-1)"}


def loaded(folder):
    return load_denoiser(folder)


def adopted(folder):
    return load_pretrained_denoiser(folder, CHANNELS, SIDE)


ADVICE = {loaded: "Remove {} and the next run trains it anew", adopted: "Train it anew, or name"}


@pytest.mark.parametrize("load", [loaded, adopted])
def test_a_model_of_other_frequencies_is_refused_with_what_to_do(tmp_path, load):
    save_denoiser(trained_with_others(), tmp_path / "m", {})
    with pytest.raises(ValueError) as error:
        load(tmp_path / "m")
    text = str(error.value)
    assert text.startswith(f"{tmp_path / 'm'} holds a denoiser that was trained with another")
    assert "timestep_frequencies in its lighthouse.json is 'i/(half-1)' and not 'i/half'" in text
    assert ADVICE[load].format(f"{tmp_path / 'm'},") in text


@pytest.mark.parametrize("load", [loaded, adopted])
def test_a_model_whose_record_says_nothing_of_them_is_refused(tmp_path, load):
    save_denoiser(new(), tmp_path / "m", {})
    write_json(tmp_path / "m" / "lighthouse.json", {"options": {}})
    with pytest.raises(ValueError, match=r"its lighthouse\.json has no timestep_frequencies"):
        load(tmp_path / "m")


@pytest.mark.parametrize("text", ["", "[1, 2]", "null", '"words"', "{"])
def test_a_record_that_is_none_is_told_in_one_message(tmp_path, text):
    save_denoiser(new(), tmp_path / "m", {})
    (tmp_path / "m" / "lighthouse.json").write_text(text)
    with pytest.raises(DataError, match="has no timestep_frequencies"):
        loaded(tmp_path / "m")


def test_a_denoiser_of_ours_without_its_record_is_refused(tmp_path):
    save_denoiser(new(), tmp_path / "m", {})
    (tmp_path / "m" / "lighthouse.json").unlink()
    with pytest.raises(ValueError, match="has no timestep_frequencies"):
        load_denoiser(tmp_path / "m")


def test_a_denoiser_of_ours_may_be_the_pretrained_one_of_another_study(tmp_path):
    save_denoiser(new(), tmp_path / "m", {})
    assert differs(adopted(tmp_path / "m")) < 1e-12
