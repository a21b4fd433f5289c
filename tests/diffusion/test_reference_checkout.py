"""Our DiT, sampler and loss beside the reference's own program, where a checkout is named.

    git clone https://github.com/facebookresearch/DiT
    uv pip install --target timm --no-deps timm
    export LIGHTHOUSE_DIT_REFERENCE=DiT PYTHONPATH=timm
    uv run pytest -s tests/diffusion/test_reference_checkout.py

``-s`` shows how close the two are. The reference needs timm, which we do not depend on.
Nothing of it is copied here: its licence is CC-BY-NC 4.0. Skipped without the variable.
"""

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lighthouse.couplings import iid
from lighthouse.diffusion.denoiser import new_denoiser, null_label, predict
from lighthouse.diffusion.sampler import sample, sets_of
from lighthouse.priors.batch import Batch
from lighthouse.priors.objectives import Stateless, plain
from lighthouse.priors.training import train_prior
from lighthouse.priors.variance import VariationalBound
from lighthouse.runtime.rng import image_generators
from sampling import DIT, space_timesteps
from toy import embedding_alike
from trainings import OPTIONS as TOY

CHECKOUT = os.environ.get("LIGHTHOUSE_DIT_REFERENCE")
pytestmark = pytest.mark.skipif(not CHECKOUT, reason="LIGHTHOUSE_DIT_REFERENCE names no checkout")

CLASSES, SHAPE, IPC = ("ant", "bee", "cat"), (4, 8, 8), 2
OPTIONS = {"layers": 4, "heads": 4, "head_dim": 16, "patch_size": 2, "learned_variance": True}
STEPS, SCALE = 50, 4.0
TRAINING = {**TOY, "steps": 1, "batch_size": 64, "class_dropout": 0.1}


@pytest.fixture(scope="module")
def models():
    """The checkout's models.py."""
    yield from imported("models")


@pytest.fixture(scope="module")
def diffusion():
    """The checkout's package diffusion."""
    yield from imported("diffusion")


def imported(name):
    """A module of the checkout, under its own name as long as a file's tests last."""
    sys.path.insert(0, str(Path(CHECKOUT).resolve()))
    yield importlib.import_module(name)
    sys.path.pop(0)
    for loaded in [m for m in sys.modules if m.partition(".")[0] == name]:
        del sys.modules[loaded]


def close(what, got, expected, tolerance):
    """The size of the difference in that of the expected, told and held against a bound."""
    got, expected = (torch.as_tensor(x, dtype=torch.float64) for x in (got, expected))
    found = ((got - expected).norm() / expected.norm()).item()
    print(f"\n{what}: {found:.1e}", end="")
    assert found <= tolerance


# The same weights in both.


def ours():
    # Of larger weights a run of sampling is chaotic, and rounding alone leads elsewhere.
    return embedding_alike(new_denoiser(OPTIONS, SHAPE[0], SHAPE[1], len(CLASSES)), std=0.2)


def theirs(models, model=None, kind=None):
    """The reference's DiT, with our model's weights or else with its own first ones."""
    made = (kind or models.DiT)(
        input_size=SHAPE[1],
        patch_size=OPTIONS["patch_size"],
        in_channels=SHAPE[0],
        hidden_size=OPTIONS["heads"] * OPTIONS["head_dim"],
        depth=OPTIONS["layers"],
        num_heads=OPTIONS["heads"],
        num_classes=len(CLASSES),
    )
    if model is not None:
        # The position table is its own, and compared by the outputs.
        made.load_state_dict({"pos_embed": made.pos_embed, **state_of(model)})
    return made.eval()


def layers():
    """Names of every layer in the reference, each with ours: three where it has one."""
    embedder = "transformer_blocks.0.norm1.emb"
    yield "x_embedder.proj", ["pos_embed.proj"]
    yield "t_embedder.mlp.0", [f"{embedder}.timestep_embedder.linear_1"]
    yield "t_embedder.mlp.2", [f"{embedder}.timestep_embedder.linear_2"]
    yield "y_embedder.embedding_table", [f"{embedder}.class_embedder.embedding_table"]
    yield "final_layer.adaLN_modulation.1", ["proj_out_1"]
    yield "final_layer.linear", ["proj_out_2"]
    for number in range(OPTIONS["layers"]):
        block, here = f"blocks.{number}", f"transformer_blocks.{number}"
        yield f"{block}.adaLN_modulation.1", [f"{here}.norm1.linear"]
        yield f"{block}.attn.qkv", [f"{here}.attn1.to_{part}" for part in "qkv"]
        yield f"{block}.attn.proj", [f"{here}.attn1.to_out.0"]
        yield f"{block}.mlp.fc1", [f"{here}.ff.net.0.proj"]
        yield f"{block}.mlp.fc2", [f"{here}.ff.net.2"]


def state_of(model):
    """Our weights under the reference's names."""
    state = {}
    for name, parts in layers():
        held = [model.get_submodule(part).state_dict() for part in parts]
        for kind in held[0]:
            state[f"{name}.{kind}"] = torch.cat([part[kind] for part in held])
    return state


def in_float64(made):
    """The reference's DiT in float64, but for its table of timesteps, which is float32."""
    made.t_embedder.mlp.register_forward_pre_hook(lambda _, given: (given[0].double(),))
    return made.double()


# The network.


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
def test_a_forward_pass(models, dtype, tolerance):
    model = ours()
    other = theirs(models, model)
    rng = torch.Generator().manual_seed(1)
    z = torch.randn(40, *SHAPE, generator=rng, dtype=dtype)
    t, labels = torch.arange(40) * 25, torch.arange(40) % (len(CLASSES) + 1)
    with torch.no_grad():
        expected = (in_float64(other) if dtype == torch.float64 else other)(z, t, labels)
        got = predict(model.to(dtype), z, t, labels)
    close(f"forward pass, {dtype}", got, expected, tolerance)


def test_first_weights_have_the_references_distribution(models):
    torch.manual_seed(0)
    other = theirs(models).state_dict()
    mine = state_of(new_denoiser(OPTIONS, SHAPE[0], SHAPE[1], len(CLASSES)))
    for name, weight in mine.items():
        assert weight.any() == other[name].any(), name
        if weight.any() and "embedding_table" not in name:  # of four rows: too few to measure
            assert weight.std().item() == pytest.approx(other[name].std().item(), rel=0.05), name
            ends = (x.abs().max().item() / x.std().item() for x in (weight, other[name]))
            assert next(ends) == pytest.approx(next(ends), rel=0.2), name


# Sampling.


def near(z, output):
    """As a trained model predicts at high noise: the latent and a little more."""
    noise, variance = output.chunk(2, dim=1)
    return torch.cat([z + 0.05 * noise, torch.tanh(variance)], dim=1)


def our_samples(model):
    """Ancestral sampling with semantics ``dit``, (classes, IPC, c, h, w)."""

    def hook(_, given, output):
        output.sample = near(given[0], output.sample)
        return output

    hooked = model.register_forward_hook(hook)
    sets = sets_of("toy", CLASSES, torch.zeros(len(CLASSES), *SHAPE), [0], IPC)
    options = {**DIT, "steps": STEPS, "guidance_scale": SCALE, "micro_batch": 8}
    samples = sample(model, sets, iid(IPC), (), options).latents
    hooked.remove()
    return samples


def their_samples(models, diffusion, monkeypatch, model, dtype=torch.float32):
    """The same by the reference's p_sample_loop and forward_with_cfg, with the same noise."""

    class Near(models.DiT):
        def forward(self, x, t, y):
            return near(x, super().forward(x, t, y))

    other = theirs(models, model, Near)
    if dtype == torch.float64:
        in_float64(other)
    generators = [g for name in CLASSES for g in image_generators(0, "toy", name, range(IPC))]
    draws = [
        torch.stack([torch.randn(SHAPE, generator=g) for g in generators]).to(dtype)
        for _ in range(STEPS)
    ]
    # It doubles the batch for guidance and draws noise at its last step, too, to no effect.
    first, *rest = (torch.cat([draw, draw]) for draw in [*draws, torch.zeros_like(draws[0])])
    noises = iter(rest)
    monkeypatch.setattr(torch, "randn_like", lambda x: next(noises))
    labels = torch.arange(len(CLASSES)).repeat_interleave(IPC)
    given = torch.cat([labels, torch.full_like(labels, len(CLASSES))])
    samples = diffusion.create_diffusion(str(STEPS)).p_sample_loop(
        other.forward_with_cfg,
        first.shape,
        first,
        clip_denoised=False,
        model_kwargs={"y": given, "cfg_scale": SCALE},
        device="cpu",
    )
    assert next(noises, None) is None
    return samples[: len(labels)].unflatten(0, (len(CLASSES), IPC))


def test_a_whole_run_of_sampling(models, diffusion, monkeypatch):
    model = ours()
    got = our_samples(model)
    single, double = (
        their_samples(models, diffusion, monkeypatch, model, dtype)
        for dtype in (torch.float32, torch.float64)
    )
    close(f"{STEPS} steps, float32 in both", got, single, 5e-6)
    close(f"{STEPS} steps, ours in float32, theirs in float64", got, double, 5e-6)
    close(f"{STEPS} steps, theirs in float32, theirs in float64", single, double, 2e-5)


def test_a_whole_run_with_diffusers_frequencies_ends_elsewhere(models, diffusion, monkeypatch):
    model = ours()
    expected = their_samples(models, diffusion, monkeypatch, model)
    for block in model.transformer_blocks:
        block.norm1.emb.time_proj.downscale_freq_shift = 1
    with pytest.raises(AssertionError):
        close("with diffusers' frequencies", our_samples(model), expected, 1e-2)


def test_every_number_of_steps_is_respaced_alike(diffusion):
    for steps in range(2, 1001):
        assert sorted(diffusion.space_timesteps(1000, [steps])) == space_timesteps(steps)


# Training.


def trained(model):
    """One step of our training: the batch that it drew, and the losses that it recorded."""
    batches = []

    def spy(prediction, batch):
        batches.append(batch)
        return plain(prediction, batch)

    rng = torch.Generator().manual_seed(2)
    latents = torch.randn(12, 1, *SHAPE, generator=rng).numpy()
    labels = np.arange(12) % len(CLASSES)
    _, record = train_prior(model, latents, labels, Stateless(spy), TRAINING, 0, Path("none"))
    return batches[0], record["losses"]


def test_the_losses_of_a_step_of_training(models, diffusion, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    model = ours()
    other, process = theirs(models, model).requires_grad_(False), diffusion.create_diffusion("")
    null = null_label(model)
    batch, losses = trained(model)
    assert 0 < (batch.labels == null).sum() < 20
    assert (batch.t > 0).all()
    close("noisy latents", batch.z_t, process.q_sample(batch.z0, batch.t, batch.noise), 1e-6)
    expected = process.training_losses(
        other, batch.z0, batch.t, {"y": batch.labels}, noise=batch.noise
    )
    close("squared error", losses["noise"], expected["mse"].mean(), 1e-5)
    close("variational bound", losses["variance"], expected["vb"].mean(), 1e-4)


def test_the_likelihood_at_the_last_step(models, diffusion):
    # There the reference takes tanh's approximation of the normal distribution, we itself.
    process, rng = diffusion.create_diffusion(""), torch.Generator().manual_seed(5)
    z0, noise, v = (torch.randn(64, *SHAPE, generator=rng) for _ in range(3))
    t = torch.zeros(64, dtype=torch.int64)
    z_t, alpha_bar = (
        process.q_sample(z0, t, noise),
        torch.full((64,), process.alphas_cumprod[0], dtype=torch.float64),
    )
    said = noise + 0.3 * torch.randn(noise.shape, generator=rng)
    expected = process.training_losses(
        lambda *given, **more: torch.cat([said, v], dim=1), z0, t, noise=noise
    )
    batch = Batch(z0, z_t, noise, t, alpha_bar, t, t, t)
    got = VariationalBound(torch.as_tensor(process.betas))(v, said, batch).bits
    close("variational bound at t = 0", got, expected["vb"].mean(), 1e-2)


def test_the_bounds_coefficients(diffusion):
    process = diffusion.create_diffusion("")
    bound = VariationalBound(torch.as_tensor(process.betas))
    close("weight of the clean latent", bound.weight, process.posterior_mean_coef1, 1e-7)
    close("least log variance", bound.low, process.posterior_log_variance_clipped, 1e-7)
    close("greatest log variance", bound.high, np.log(process.betas), 1e-7)
