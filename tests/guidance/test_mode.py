"""MGD3's mode guidance: the modes, the step, and where it leads."""

from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
import torch
import yaml

from lighthouse.couplings import COUPLINGS
from lighthouse.diffusion.schedule import ancestral
from lighthouse.guidance import Context, Guide, State
from lighthouse.guidance.clusters import clusters
from lighthouse.guidance.mode import Modes, mode, step_deviation
from lighthouse.runtime.errors import DataError
from repository import ROOT
from sampling import OPTIONS, run
from toy import CHANNELS, CLASSES, DIM, SIDE, write_latents

CONFIG = ROOT / "config" / "config.yaml"
#: Steps of the source, of DiT's 50.
GUIDED = [t for t in ancestral(50).timesteps.tolist() if t >= 511]


def blobs(per_blob=6, count=4, spread=0.01):
    """Latents (n, D) of three classes, each of ``count`` far-off clusters, and their labels."""
    rng = np.random.default_rng(0)
    centres = 5 * rng.standard_normal((len(CLASSES), count, DIM))
    points = centres[:, :, None] + spread * rng.standard_normal((1, 1, per_blob, DIM))
    labels = np.repeat(np.arange(len(CLASSES)), count * per_blob)
    order = rng.permutation(len(labels))
    return points.reshape(-1, DIM)[order], labels[order], points.mean(2)


def context(folder, ipc):
    return Context("toy", CLASSES, ipc, DIM, latents=folder)


@pytest.fixture
def folder(tmp_path):
    latents, labels, _ = blobs()
    return write_latents(tmp_path / "latents", latents, labels)


@pytest.fixture
def cloud(tmp_path):
    """Latents without clusters, of which k-means finds other ones with another seed."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 30)
    return write_latents(tmp_path / "cloud", rng.standard_normal((90, DIM)), labels)


def state(t, z, noise, images, seed=0, label=0, steps=50):
    scheduler = ancestral(steps)
    before = int(scheduler.previous_timestep(t))
    alphas = scheduler.alphas_cumprod.double()
    return State(
        z=z,
        finished=z[:, :0],
        class_mean=z[:, 0],
        alpha_bar=alphas[t].item(),
        ipc=4,
        noise=noise,
        alpha_bar_before=alphas[before].item() if before >= 0 else 1.0,
        seed=seed,
        label=label,
        images=images,
        shape=(CHANNELS, SIDE, SIDE),
    )


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def same_rows(found, expected):
    """Whether two sets of rows are equal but for their order."""
    distances = torch.cdist(torch.as_tensor(found).double(), torch.as_tensor(expected).double())
    return sorted(distances.argmin(1).tolist()) == list(range(len(expected))) and (
        distances.min(1).values.max() < 1e-4
    )


# Modes.


@pytest.mark.parametrize("label", range(3))
def test_the_modes_of_a_class_are_the_centres_of_its_own_clusters(folder, label):
    _, _, centres = blobs()
    found = Modes(context(folder, ipc=4)).of(seed=0, label=label)
    assert found.shape == (4, DIM) and found.dtype == torch.float32
    assert same_rows(found, centres[label])


def test_the_only_mode_of_ipc_1_is_the_class_mean(folder):
    latents, labels, _ = blobs()
    found = Modes(context(folder, ipc=1)).of(0, 2)
    expected = torch.from_numpy(latents[labels == 2].mean(0, keepdims=True)).float()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_modes_repeat_and_follow_the_seed(cloud):
    one, again, other = (Modes(context(cloud, ipc=5)).of(seed, 1) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other, atol=1e-3)


def test_the_modes_of_a_set_are_found_once(folder, monkeypatch):
    asked = []

    def counted(latents, count, seed):
        asked.append(seed)
        return clusters(latents, count, seed)

    monkeypatch.setattr(import_module("lighthouse.guidance.clusters"), "clusters", counted)
    found = Modes(context(folder, ipc=4))
    for seed, label in [(0, 0), (0, 1), (0, 0), (1, 0), (1, 0)]:
        found.of(seed, label)
    assert len(asked) == len(set(asked)) == 3


def test_a_class_with_fewer_images_than_modes_is_named(folder):
    with pytest.raises(DataError, match=r"class 'bee' of toy has 24 training images.* IPC 25"):
        Modes(context(folder, ipc=25)).of(0, 1)


# The step.


@pytest.mark.parametrize("variance", ["fixed_small", "learned_range"])
@pytest.mark.parametrize("t", [GUIDED[0], GUIDED[7], GUIDED[-1]])
def test_the_direction_is_the_steps_own_deviation_times_the_way_to_the_mode(folder, t, variance):
    """ẑ₀ and σ_t are those of diffusers' step, σ_t of learned variance within 0.8 %."""
    scheduler = ancestral(50, variance)
    z, noise = draws(1, 4, DIM), draws(1, 4, DIM, seed=1)
    prediction = noise[0]
    if variance == "learned_range":
        v = torch.linspace(-1, 1, DIM, dtype=torch.float64).expand(4, DIM)
        prediction = torch.cat([prediction, v], dim=1)

    def step(seed):
        rng = torch.Generator().manual_seed(seed)
        return scheduler.step(prediction, t, z[0], generator=rng)

    one, other = step(0).prev_sample, step(1).prev_sample
    sigma = (one - other) / (draws(4, DIM, seed=0) - draws(4, DIM, seed=1))
    targets = Modes(context(folder, ipc=4)).of(0, 0).double()
    expected = sigma * (step(0).pred_original_sample - targets)
    images = torch.arange(4).view(1, 4)
    found = mode({}, context(folder, ipc=4))(state(t, z, noise, images))
    tolerance = 1e-4 if variance == "fixed_small" else 0.008
    torch.testing.assert_close(found[0], expected, rtol=tolerance, atol=1e-6)


def test_the_last_step_is_without_noise_and_without_guidance():
    assert step_deviation(0.9999, 1.0) == 0


def test_every_image_goes_to_its_own_mode_however_images_are_grouped(folder):
    term, t = mode({}, context(folder, ipc=4)), GUIDED[3]
    z, noise = draws(1, 4, DIM), draws(1, 4, DIM, seed=1)
    together = term(state(t, z, noise, torch.arange(4).view(1, 4)))[0]
    order = [2, 0, 3, 1]
    alone = term(state(t, z[0, order, None], noise[0, order, None], torch.tensor(order)[:, None]))
    torch.testing.assert_close(alone[:, 0], together[order])


def test_the_direction_has_the_shape_and_type_of_the_latents(folder):
    z = draws(2, 2, DIM).float()
    found = mode({}, context(folder, ipc=4))(state(530, z, z, torch.arange(4).view(2, 2)))
    assert found.shape == z.shape and found.dtype == torch.float32


@pytest.mark.parametrize("t", [GUIDED[0], GUIDED[-1]])
def test_the_papers_formula_taken_literally_leads_away_from_the_mode(folder, t):
    """The reason for the other sense: ẑ₀ falls as ε̂ rises."""
    z, noise = draws(4, DIM), draws(4, DIM, seed=1)
    targets = Modes(context(folder, ipc=4)).of(0, 0).double()
    scheduler = ancestral(50)
    alphas, before = scheduler.alphas_cumprod, int(scheduler.previous_timestep(t))
    sigma = step_deviation(alphas[t].item(), alphas[before].item())

    def step(noise):
        return scheduler.step(noise, t, z, generator=torch.Generator().manual_seed(0))

    plain = step(noise)
    literal = step(noise + 0.1 * sigma * (targets - plain.pred_original_sample))
    way = targets - plain.pred_original_sample
    term = mode({}, context(folder, ipc=4))
    direction = term(state(t, z[None], noise[None], torch.arange(4)[None]))[0]
    assert (((literal.prev_sample - plain.prev_sample) * way).sum(1) < 0).all()
    assert ((-0.1 * direction * way).sum(1) > 0).all()


@pytest.mark.parametrize("coupling", ["iid", "joint", "sequential"])
def test_images_end_nearest_to_their_own_modes(folder, model, coupling):
    """Three seeds: each set has modes, and an order of them, of its own."""
    ipc, seeds, classes = 4, (0, 1, 2), (1,)
    options = {**OPTIONS, "steps": 20}
    guides = [Guide(0.3, mode({}, context(folder, ipc)))]
    free = run(model, ipc, COUPLINGS[coupling], (), options, seeds=seeds, classes=classes)
    led = run(model, ipc, COUPLINGS[coupling], guides, options, seeds=seeds, classes=classes)
    found = Modes(context(folder, ipc))
    for seed, before, after in zip(seeds, free.flatten(2), led.flatten(2), strict=True):
        targets = found.of(seed, 1)
        distances = torch.cdist(after, targets)
        assert distances.argmin(1).tolist() == list(range(ipc))
        assert (distances.diagonal() < 0.8 * torch.cdist(before, targets).diagonal()).all()


# The study's options.


def test_the_configured_steps_are_the_sources_24_noisiest_of_50():
    first, last = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["guidance"]["mode"]["steps"]
    steps = ancestral(50).timesteps.tolist()
    assert [i for i, t in enumerate(reversed(steps)) if first <= t < last] == list(range(26, 50))


def test_at_the_guided_steps_learned_variance_is_nearly_the_fixed_one():
    alphas = ancestral(50).alphas_cumprod.tolist()
    steps = [*GUIDED, 510]
    for t, before in pairwise(steps):
        largest = (1 - alphas[t] / alphas[before]) ** 0.5
        assert 1 <= largest / step_deviation(alphas[t], alphas[before]) < 1.008
