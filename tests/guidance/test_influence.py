"""IGD's influence guidance: the gradient through surrogate, decoder and denoiser, and its size."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lighthouse.couplings import sequential
from lighthouse.guidance import Context, Guide
from lighthouse.guidance.influence import (
    distance,
    influence,
    influence_direction,
    influence_gradient,
    pixel_gradient,
)
from lighthouse.guidance.state import State
from lighthouse.runtime.errors import DataError
from lighthouse.students.networks import ConvNet
from lighthouse.students.surrogate import Checkpoint, loss_gradient, write_surrogate
from sampling import run
from toy import CHANNELS, CLASSES, DIM, SIDE, redrawn, toy_denoiser

SHAPE, LABEL = (CHANNELS, SIDE, SIDE), 1
NETWORK = {"network": "convnet", "depth": 2, "width": 4}
SCALE = 0.0015


def networks(count=3, dtype=torch.float64):
    """Surrogates of 8 px at some epochs."""
    found = []
    for seed in range(count):
        torch.manual_seed(seed)
        found.append(ConvNet(2, 4, 8, len(CLASSES)).to(dtype).eval())
    return found


def targets(made):
    """Class gradients that no image has: drawn at random."""
    rng = torch.Generator().manual_seed(9)
    sizes = [sum(p.numel() for p in network.parameters()) for network in made]
    dtype = next(made[0].parameters()).dtype
    return [torch.randn(n, generator=rng, dtype=torch.float64).to(dtype) for n in sizes]


def decoder(dtype=torch.float64):
    """Latents (n, 4, 4, 4) to images (n, 3, 8, 8) in [-1, 1], not linear."""
    layers = nn.Sequential(nn.ConvTranspose2d(CHANNELS, 3, 2, stride=2), nn.Tanh())
    return redrawn(layers, 0.4).to(dtype)


def state(groups=1, free=1, dtype=torch.float64):
    """Latents whose noise prediction is not linear in them."""
    rng = torch.Generator().manual_seed(groups + free)
    z, mix = (
        torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype)
        for shape in ((groups, free, DIM), (DIM, DIM))
    )

    return traced(z, lambda z: torch.tanh(z @ mix / 4) + 0.5 * z)


@dataclass(frozen=True)
class Traced(State):
    """A state with the denoiser behind it, for what the tests write out themselves."""

    denoise: Callable | None = None


def traced(z, denoise):
    """The state of latents z (B, G, D) whose noise is ``denoise(z)``, with the way back."""
    leaves = [latent.clone().requires_grad_() for latent in z.flatten(0, 1).split(1)]
    with torch.enable_grad():
        noise = [denoise(leaf) for leaf in leaves]

    def back(slopes):
        parts = list(slopes.split(1))
        return torch.cat(torch.autograd.grad(noise, leaves, parts, retain_graph=True))

    return Traced(
        z=z,
        finished=z[:, :0],
        class_mean=z[:, 0],
        alpha_bar=0.3,
        ipc=10,
        noise=torch.cat(noise).detach().view_as(z),
        alpha_bar_before=0.4,
        seed=0,
        label=LABEL,
        images=torch.arange(z[..., 0].numel()).view(z.shape[:2]),
        shape=SHAPE,
        back=back,
        denoise=denoise,
    )


def influence_loss(s, z, made, wanted, decode):
    """G_I of one latent (D,), written out."""
    clean = (z - (1 - 0.3) ** 0.5 * s.denoise(z[None])[0]) / 0.3**0.5
    image = decode(clean.view(1, *SHAPE))
    total = 0.0
    for network, target in zip(made, wanted, strict=True):
        loss = F.cross_entropy(network(image), torch.tensor([LABEL]))
        found = torch.autograd.grad(loss, list(network.parameters()))
        flat = torch.cat([g.flatten() for g in found])
        total += 1 - F.cosine_similarity(flat, target, dim=0).item()
    return total / len(made)


def test_the_gradient_is_that_of_finite_differences():
    s, made, decode = state(), networks(), decoder()
    wanted = targets(made)
    step, z = 1e-6, s.z[0, 0]
    numeric = torch.tensor(
        [
            influence_loss(s, z + step * way, made, wanted, decode)
            - influence_loss(s, z - step * way, made, wanted, decode)
            for way in torch.eye(DIM, dtype=torch.float64)
        ],
        dtype=torch.float64,
    ) / (2 * step)
    gradient = influence_gradient(s, made, wanted, decode)[0, 0]
    assert gradient.norm() > 1e-3
    torch.testing.assert_close(gradient, numeric, rtol=1e-4, atol=1e-7)


def test_the_gradient_goes_through_the_denoiser():
    s, made, decode = state(), networks(), decoder()
    fixed = replace(s, back=torch.zeros_like)
    ways = [influence_gradient(x, made, targets(made), decode)[0, 0] for x in (s, fixed)]
    assert F.cosine_similarity(*ways, dim=0) < 0.95


def test_the_gradient_at_the_pixels_is_the_mean_over_the_checkpoints():
    made, decode = networks(), decoder()
    wanted, image = targets(made), decode(state().z.view(1, *SHAPE))
    alone = [pixel_gradient(image, LABEL, [n], [t]) for n, t in zip(made, wanted, strict=True)]
    torch.testing.assert_close(
        pixel_gradient(image, LABEL, made, wanted), torch.stack(alone).mean(0)
    )


def test_the_distance_is_one_minus_the_cosine_of_all_parameters_together():
    a, b = torch.tensor([3.0, 0.0, 4.0]).double(), torch.tensor([0.0, 2.0, 1.0]).double()
    assert distance(a, b).item() == pytest.approx(1 - 4 / (5 * 5**0.5), abs=1e-6)
    assert distance(a, 2 * a).item() == pytest.approx(0, abs=1e-6)
    assert distance(a, -a).item() == pytest.approx(2, abs=1e-6)


def test_a_checkpoint_with_next_to_no_gradient_has_next_to_no_pull():
    """By the public code's 1e-6: no length of gradient is divided by zero."""
    target = torch.ones(4).double()
    assert distance(1e-9 * target, target).item() == pytest.approx(1, abs=0.01)


def test_a_step_is_as_long_as_the_noise_prediction_says():
    s, made, decode = state(groups=2, free=2), networks(), decoder()
    wanted = targets(made)
    found = influence_direction(s, SCALE, made, lambda label: wanted, decode)
    gradient = influence_gradient(s, made, wanted, decode)

    def rms(x):
        return x.square().mean(-1, keepdim=True).sqrt()

    rho = (1 - 0.3) ** 0.5 * SCALE * rms(s.noise) / rms(gradient)
    torch.testing.assert_close(found, rho * gradient)


@pytest.mark.parametrize("certain", [False, True])
def test_a_gradient_of_zero_is_a_step_of_zero(certain):
    s, made, decode = state(), networks(), decoder()
    wanted = [torch.zeros_like(target) for target in targets(made)]
    if certain:
        wanted = targets(made)
        for network in made:
            network.head.bias.data[LABEL] = 1e6
    found = influence_direction(s, SCALE, made, lambda label: wanted, decode)
    assert torch.equal(found, torch.zeros_like(s.z))


def test_an_image_does_not_depend_on_those_beside_it():
    s, made, decode = state(2, 2, torch.float32), networks(dtype=torch.float32), decoder().float()
    wanted = targets(made)
    together = influence_gradient(s, made, wanted, decode)
    alone = influence_gradient(traced(s.z[1:, 1:], s.denoise), made, wanted, decode)
    assert torch.equal(alone[0, 0], together[1, 1])


def test_the_gradient_is_taken_where_the_sampler_takes_none():
    s, made, decode = state(), networks(), decoder()
    wanted = targets(made)
    expected = influence_gradient(s, made, wanted, decode)
    with torch.no_grad():
        assert torch.equal(influence_gradient(s, made, wanted, decode), expected)
    assert not expected.requires_grad


# The term of a job.


@pytest.fixture
def job(tmp_path):
    """A surrogate on disk with gradients of its own for each class, and a job that uses it."""
    rng = torch.Generator().manual_seed(4)
    checkpoints = [
        Checkpoint(epoch, network.state_dict(), torch.randn(3, n, generator=rng))
        for epoch, network in zip((0, 3), networks(2, torch.float32), strict=True)
        for n in [sum(p.numel() for p in network.parameters())]
    ]
    write_surrogate(tmp_path / "s", checkpoints, CLASSES, {"network": NETWORK, "image_size": 8})
    decode = decoder().float()
    context = Context("toy", CLASSES, 2, DIM, surrogate=tmp_path / "s", decode=decode)
    return checkpoints, context


def test_the_term_compares_with_the_gradients_of_its_own_class(job):
    checkpoints, context = job
    term = influence({"steps": [612, 918], "scale": 0.1}, context)
    s, made = state(dtype=torch.float32), networks(2, torch.float32)
    found = []
    for label in (LABEL, 2, LABEL):
        wanted = [checkpoint.gradients[label] for checkpoint in checkpoints]
        labelled = replace(s, label=label)
        expected = influence_direction(labelled, 0.1, made, lambda _, w=wanted: w, context.decode)
        found.append(term(labelled))
        torch.testing.assert_close(found[-1], expected)
    assert not torch.allclose(found[0], found[1])


def test_a_surrogate_of_other_classes_is_refused(job):
    _, context = job
    with pytest.raises(DataError, match="surrogate of other classes than those of toy"):
        influence({"scale": 0.1}, replace(context, classes=("ant", "cat", "bee")))


def test_guided_samples_are_nearer_to_the_class_gradients(job):
    checkpoints, context = job
    term = influence({"scale": 0.02}, context)
    model, made = toy_denoiser(), networks(2, torch.float32)
    guide = Guide(5.0, term, (0, 1000), through_denoiser=True)
    plain, guided = (run(model, 2, sequential, guides) for guides in ([], [guide]))

    def mean_distance(samples):
        return sum(
            distance(
                loss_gradient(network, context.decode(z[None]), torch.tensor([label])),
                checkpoint.gradients[label],
            ).item()
            for label, latents in enumerate(samples)
            for z in latents
            for network, checkpoint in zip(made, checkpoints, strict=True)
        ) / (2 * samples.shape[0] * samples.shape[1])

    assert mean_distance(guided) < mean_distance(plain) - 0.01
