"""DAP: the denoiser's features, the way back from them, what they cost, and where they lead."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lighthouse.couplings import COUPLINGS, iid, joint, sequential
from lighthouse.diffusion.denoiser import features, new_denoiser
from lighthouse.diffusion.guided import GuidedDenoiser, Work
from lighthouse.diffusion.schedule import ancestral
from lighthouse.guidance import Context, Guide
from lighthouse.guidance.dap import RealFeatures, by_features, dap
from lighthouse.parts.terms import TERMS
from lighthouse.runtime.rng import generator
from sampling import OPTIONS, run, sampled
from toy import CHANNELS, CLASSES, DIM, SIDE, redrawn, toy_denoiser, write_latents

TERM = {"steps": [0, 1000], "depth": 0.5, "images": 6}
SHAPE = CHANNELS, SIDE, SIDE
N_REAL = 8


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def folder(tmp_path):
    """Latents of three classes, eight each around a place of its own."""
    places = np.random.default_rng(0).standard_normal((len(CLASSES), 1, DIM))
    points = places + 0.3 * np.random.default_rng(1).standard_normal((len(CLASSES), N_REAL, DIM))
    return write_latents(
        tmp_path / "latents", points.reshape(-1, DIM), np.repeat(np.arange(len(CLASSES)), N_REAL)
    )


@pytest.fixture
def model():
    return toy_denoiser()


def context(folder, ipc=2):
    return Context("toy", CLASSES, ipc, DIM, latents=folder)


def behind(model, block, z, t, labels):
    """A block's output in a whole pass of the model, by a hook, with its graph."""
    found = []
    hook = model.transformer_blocks[block].register_forward_hook(
        lambda layer, given, output: found.append(output)
    )
    model(z, timestep=torch.full_like(labels, t), class_labels=labels)
    hook.remove()
    return found[0]


# Features.


@pytest.mark.parametrize(
    "layers, depth, block", [(2, 0.5, 0), (3, 0.5, 1), (3, 1, 2), (3, 0.01, 0), (28, 0.5, 13)]
)
def test_features_are_what_the_blocks_up_to_the_depth_have_made(layers, depth, block):
    options = {"layers": layers, "heads": 2, "head_dim": 8, "patch_size": 2}
    model = redrawn(new_denoiser(options, CHANNELS, SIDE, 3), 0.1)
    z, t, labels = drawn(2, *SHAPE), torch.tensor([7, 7]), torch.tensor([2, 0])
    found = features(model, z, t, labels, depth)
    assert found.shape == (2, 4, 16)
    assert torch.equal(found, behind(model, block, z, 7, labels))


def test_no_block_behind_the_depth_is_run(model):
    model.transformer_blocks[1].forward = None
    features(model, drawn(1, *SHAPE), torch.tensor([7]), torch.tensor([0]), 0.5)


@pytest.mark.parametrize("steady", [True, False])
def test_a_denoiser_says_features_in_calls_of_any_size(model, steady):
    z, labels = drawn(7, *SHAPE), torch.tensor([1] * 7)
    denoiser = GuidedDenoiser(model, "toy", {**OPTIONS, "micro_batch": 3})
    if steady:
        with denoiser.steady(SHAPE, [[1] * 7], "cpu"):
            found = denoiser.features(z, 500, labels, 0.5)
    else:
        found = denoiser.features(z, 500, labels, 0.5)
    torch.testing.assert_close(found, behind(model, 0, z, 500, labels), rtol=1e-4, atol=1e-5)
    assert denoiser.work.evaluations == 7
    assert denoiser.work.gradients == 0


def test_bf16_features_are_near_those_of_float32(model):
    z, labels = drawn(3, *SHAPE), torch.tensor([1] * 3)
    found = GuidedDenoiser(model, "toy", {**OPTIONS, "precision": "bf16"}).features(
        z, 500, labels, 0.5
    )
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, behind(model, 0, z, 500, labels), rtol=0.05, atol=0.05)


@pytest.mark.parametrize("steady", [True, False])
def test_the_way_back_from_features_is_autograds(model, steady):
    z, labels, given = drawn(3, *SHAPE), torch.tensor([1] * 3), drawn(4, 16, seed=3)
    denoiser = GuidedDenoiser(model, "toy", OPTIONS)

    def slope(own):
        return given * own

    with torch.no_grad():  # as the sampler calls it
        if steady:
            with denoiser.steady(SHAPE, [[1] * 3], "cpu"):
                found = denoiser.features_slope(z, 500, labels, 0.5, slope)
        else:
            found = denoiser.features_slope(z, 500, labels, 0.5, slope)
    leaf = z.clone().requires_grad_()
    (0.5 * given * behind(model, 0, leaf, 500, labels).square()).sum().backward()
    torch.testing.assert_close(found, leaf.grad, rtol=1e-4, atol=1e-6)
    assert not found.requires_grad
    assert denoiser.work == Work(evaluations=3, gradients=3, computed=3)


def test_features_that_do_not_fit_are_told_with_what_would(model, monkeypatch):
    def limited(model, z, *rest):
        if len(z) > 2:
            raise torch.OutOfMemoryError
        return features(model, z, *rest)

    monkeypatch.setattr("lighthouse.diffusion.guided.features", limited)
    denoiser = GuidedDenoiser(model, "toy", OPTIONS)
    with pytest.raises(MemoryError, match=r"2 fit: set datasets\.toy\.sampler\.micro_batch to 2"):
        denoiser.features(drawn(5, *SHAPE), 500, torch.tensor([0] * 5), 0.5)


# The term.


def states_of(model, folder, coupling=joint, seeds=(0,), classes=(1,), ipc=2, **options):
    """The states that a sampler shows a term, and what the term says of them."""
    seen, term = [], dap({**TERM, **options}, context(folder, ipc))

    def spy(state):
        seen.append((state, term(state)))
        return torch.zeros_like(state.z)

    run(model, ipc, coupling, [Guide(1.0, spy)], seeds=seeds, classes=classes)
    return seen


def real_draws(folder, seed, name, label, count):
    """The latents that a set is compared with, and the noise of each."""
    everything = torch.from_numpy(np.load(folder / "latents.npy")[:, 0].reshape(-1, DIM))
    own = everything[label * N_REAL : (label + 1) * N_REAL]
    order = torch.randperm(N_REAL, generator=generator("real latents", seed, "toy", name))[:count]
    rngs = [generator("noise of a real latent", seed, "toy", name, i) for i in order.tolist()]
    return own[order], torch.stack([torch.randn(DIM, generator=rng) for rng in rngs])


@pytest.mark.parametrize("count", [2, 6, 50])
def test_the_gradient_is_that_of_the_mean_kernel_distance_by_one_graph_of_everything(
    model, folder, count
):
    """1/M Σ_j √(k(x, x) - 2 k(x, y_j) + k(y_j, y_j)), of whole passes with hooks."""
    seen = states_of(model, folder, images=count)
    real, noise = real_draws(folder, 0, "bee", 1, count)
    assert len(real) == min(count, N_REAL)
    for (state, found), t in zip(seen, ancestral(5).timesteps.tolist(), strict=True):
        noised = state.alpha_bar**0.5 * real + (1 - state.alpha_bar) ** 0.5 * noise
        labels = torch.ones(len(real), dtype=torch.int64)
        y = behind(model, 0, noised.view(-1, *SHAPE), t, labels).flatten(1).detach()
        leaf = state.z[0].clone().requires_grad_()
        x = behind(model, 0, leaf.view(-1, *SHAPE), t, labels[:2]).flatten(1)
        distance = ((x * x).sum(1)[:, None] - 2 * x @ y.T + (y * y).sum(1)).sqrt()
        distance.mean(1).sum().backward()
        torch.testing.assert_close(found[0], leaf.grad, rtol=1e-3, atol=1e-5)


def test_the_slope_by_hand():
    """From ((1, 0), (3, 2)): ways of (0, 0, 3, 4) and (1, 0, 0, 0), 5 and 1 long, halved."""
    own = torch.tensor([[[1.0, 0.0], [3.0, 2.0]]])
    real = own - torch.tensor([[[0.0, 0.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 0.0]]])
    found = by_features(real, own)
    torch.testing.assert_close(found, torch.tensor([[[0.5, 0.0], [0.3, 0.4]]]))


@pytest.mark.parametrize("scale", [1e-18, 1.0, 1e18])
def test_features_of_any_scale_have_a_direction(scale):
    real, own = scale * drawn(4, 3, 5), scale * drawn(1, 3, 5, seed=1)
    found = by_features(real, own)
    torch.testing.assert_close(found, by_features(real / scale, own / scale), rtol=1e-4, atol=1e-6)
    assert found.norm() <= 1


def test_a_real_image_that_it_is_equal_to_moves_nothing():
    own = drawn(1, 3, 5)
    assert torch.equal(by_features(own, own), torch.zeros(1, 3, 5))


def test_a_set_has_real_latents_and_noise_of_its_own(model, folder):
    seen = states_of(model, folder, seeds=(0, 1), classes=(0, 1))
    first = {(s.seed, s.label): s for s, _ in reversed(seen)}
    real = RealFeatures(context(folder), 6, 0.5)
    found = [real.at(state) for state in first.values()]
    assert len(found) == 4
    assert all(not torch.allclose(found[0], other, rtol=1e-3) for other in found[1:])
    # Nothing of a set is drawn by another one.
    alone = RealFeatures(context(folder), 6, 0.5).at(first[1, 1])
    assert torch.equal(alone, real.at(first[1, 1]))


@pytest.mark.parametrize("coupling", [iid, joint, sequential])
def test_a_class_does_not_depend_on_those_beside_it(model, folder, coupling):
    def of(classes, seeds=(0,)):
        guide = Guide(0.5, dap(TERM, context(folder)))
        return run(model, 2, coupling, [guide], classes=classes, seeds=seeds)

    everything = of([0, 1, 2], seeds=(0, 1))
    assert torch.equal(of([1])[0], everything[1])
    assert torch.equal(of([2], seeds=(1,))[0], everything[5])


def test_every_coupling_guides_each_image_by_itself(model, folder):
    found = [
        run(model, 3, coupling, [Guide(0.5, dap(TERM, context(folder, 3)))])
        for coupling in COUPLINGS.values()
    ]
    assert not torch.allclose(found[0], run(model, 3, iid), rtol=1e-2, atol=1e-2)
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("coupling", ["iid", "joint", "sequential"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_what_it_asks_of_the_denoiser_is_as_declared(model, folder, coupling, scale):
    """At a guided step one pass an image, with its class; in each stage one a real latent."""
    guide = Guide(0.5, dap(TERM, context(folder)), (200, 1000))  # four of five steps
    options = {**OPTIONS, "guidance_scale": scale}
    plain = sampled(model, 2, COUPLINGS[coupling], (), options).work
    for seeds in ((0,), (0, 1)):
        work = sampled(model, 2, COUPLINGS[coupling], [guide], options, seeds=seeds).work
        images = len(seeds) * 3 * 2
        stages = len(COUPLINGS[coupling](2))
        own = 4 * images * TERMS["dap"].passes(TERM, 2 / stages)
        assert own == 4 * (images + stages * len(seeds) * 3 * 6)
        assert work.evaluations == len(seeds) * plain.evaluations + own
        assert work.gradients == 4 * images
        guide = replace(guide, term=dap(TERM, context(folder)))  # as each cell makes its own


def test_guided_samples_have_features_nearer_to_the_real_ones(model, folder):
    guide = Guide(1.0, dap({**TERM, "images": 8}, context(folder, 4)))
    real = torch.from_numpy(np.load(folder / "latents.npy")[:, 0]).view(3, N_REAL, *SHAPE)

    def distance(sets):
        total = 0.0
        for label in range(3):
            own, theirs = (
                features(model, z, *torch.tensor([[0] * len(z), [label] * len(z)]), 0.5)
                for z in (sets[label], real[label])
            )
            total += (own - theirs.mean(0)).square().sum((1, 2)).mean().item()
        return total

    with torch.no_grad():
        plain, guided = (distance(run(model, 4, iid, g)) for g in ([], [guide]))
    assert guided < 0.9 * plain
