"""DMGD's optimal transport: the plan, beside POT's, the step, and where it leads."""

from dataclasses import replace

import numpy as np
import ot
import pytest
import torch

from lighthouse.couplings import COUPLINGS, joint
from lighthouse.guidance import Context, Guide
from lighthouse.guidance.clusters import ClassClusters, Clusters, clusters
from lighthouse.guidance.mean_matching import mean_gradient
from lighthouse.guidance.mode import step_deviation
from lighthouse.guidance.transport import plan, transport, transport_gradient, transport_loss
from sampling import run, state
from toy import CLASSES, DIM, toy_denoiser, write_latents

OPTIONS = {"steps": [0, 1000], "clusters": 4, "epsilon": 0.1, "iterations": 5}


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(n, k, seed=0):
    """Costs (n, k) of which the largest is 1, and masses (k,)."""
    rng = torch.Generator().manual_seed(seed)
    cost = torch.rand(n, k, generator=rng, dtype=torch.float64)
    masses = torch.rand(k, generator=rng, dtype=torch.float64) + 0.1
    return cost / cost.max(), masses / masses.sum()


def of_pot(cost, masses, epsilon, iterations, solve):
    """POT's plan: it begins with the columns, so that its problem is the other way round."""
    rows = np.full(len(cost), 1 / len(cost))
    given = masses.numpy(), rows, cost.numpy().T, epsilon
    return torch.from_numpy(solve(*given, numItermax=iterations, stopThr=0, warn=False)).T


# The plan.


@pytest.mark.parametrize("solve", [ot.bregman.sinkhorn_log, ot.bregman.sinkhorn])
@pytest.mark.parametrize("n, k", [(1, 10), (3, 4), (5, 10), (7, 3), (4, 1)])
@pytest.mark.parametrize("iterations", [1, 5])
def test_the_plan_is_pots_after_as_many_iterations(n, k, iterations, solve):
    cost, masses = problem(n, k)
    found = plan(cost, masses, 0.1, iterations)
    expected = of_pot(cost, masses, 0.1, iterations, solve)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n, k", [(3, 4), (7, 3)])
def test_the_plan_comes_to_pots_and_to_the_masses_of_both_sides(n, k):
    cost, masses = problem(n, k)
    found = plan(cost, masses, 0.05, 2000)
    expected = of_pot(cost, masses, 0.05, 2000, ot.bregman.sinkhorn_log)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-14)
    torch.testing.assert_close(found.sum(0), masses)
    torch.testing.assert_close(found.sum(1), torch.full((n,), 1 / n, dtype=torch.float64))


def test_the_plan_of_two_by_two_by_hand():
    """Of equal masses it is symmetric, and done at once: P_11/P_12 = exp((C_12 - C_11)/ε)."""
    cost = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    ratio = torch.exp(torch.tensor(2.0, dtype=torch.float64))
    near, far = 0.5 * ratio / (1 + ratio), 0.5 / (1 + ratio)
    found = plan(cost, torch.full((2,), 0.5, dtype=torch.float64), 0.5, 1)
    torch.testing.assert_close(found, torch.stack([near, far, far, near]).view(2, 2))


def test_the_plan_of_unequal_masses_after_one_iteration_by_hand():
    """exp(-C/ε) = [[1, ½], [1, 1]]. Rows to ½: [[⅓, ⅙], [¼, ¼]]; columns to ¼ and ¾."""
    cost = torch.log(torch.tensor([[1.0, 2.0], [1.0, 1.0]], dtype=torch.float64))
    masses = torch.tensor([0.25, 0.75], dtype=torch.float64)
    expected = [[1 / 7, 3 / 10], [3 / 28, 9 / 20]]
    found = plan(cost, masses, 1.0, 1)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_a_plan_is_finite_where_its_factors_are_not():
    """exp(-1/ε) is 0 in float32; a cluster may have no mass."""
    cost, masses = problem(4, 3)
    masses = torch.tensor([0.4, 0.6, 0.0])
    found = plan(cost.float(), masses, 1e-4, 5)
    assert found.isfinite().all()
    assert (found[:, 2] == 0).all()
    torch.testing.assert_close(found.sum(0), masses, rtol=1e-3, atol=0)


# The clusters.


def test_the_shares_of_clusters_are_those_of_their_latents():
    points = np.array([[0.0], [0.1], [0.2], [9.0]], dtype=np.float32)
    found = clusters(points, 2, 0)
    order = found.centres[:, 0].argsort()
    torch.testing.assert_close(found.centres[order, 0], torch.tensor([0.1, 9.0]))
    assert found.shares[order].tolist() == [0.75, 0.25]


@pytest.fixture
def folder(tmp_path):
    """Latents of three classes, four far-off clusters each, of 2, 4, 6 and 8 latents."""
    rng = np.random.default_rng(0)
    centres = 5 * rng.standard_normal((len(CLASSES), 4, DIM))
    of = np.repeat(np.arange(4), [2, 4, 6, 8])
    points = centres[:, of] + 0.01 * rng.standard_normal((len(CLASSES), len(of), DIM))
    labels = np.repeat(np.arange(len(CLASSES)), len(of))
    return write_latents(tmp_path / "latents", points.reshape(-1, DIM), labels)


def context(folder, ipc=4):
    return Context("toy", CLASSES, ipc, DIM, latents=folder)


def test_a_class_of_fewer_images_than_clusters_has_one_each(folder):
    found = ClassClusters(context(folder), 50, "transport").of(0, 1)
    assert found.centres.shape == (20, DIM)
    torch.testing.assert_close(found.shares, torch.full((20,), 1 / 20))


def test_clusters_repeat_and_are_found_once(folder, monkeypatch):
    one, other = (ClassClusters(context(folder), 4, "transport") for _ in range(2))
    kept = one.of(0, 2)
    assert all(torch.equal(a, b) for a, b in zip(kept, other.of(0, 2), strict=True))
    assert sorted(kept.shares.tolist()) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert one.of(0, 2) is kept


# The step.


def masses_of(k, seed=1):
    return problem(1, k, seed)[1]


def reference(z, finished, found, epsilon=0.1, iterations=5):
    """L as the source computes it, not in logarithms, and its gradient by the free latents."""
    free = z.clone().requires_grad_()
    visible = torch.cat([finished, free])
    own, centres = (x / x.norm(dim=1, keepdim=True) for x in (visible, found.centres))
    cost = (own[:, None] - centres).norm(dim=2)
    held = torch.exp(-cost / epsilon)
    for _ in range(iterations):
        held = held / held.sum(1, keepdim=True) / len(held)
        held = held / held.sum(0) * found.shares
    loss = (held * cost).sum()
    loss.backward()
    return loss.detach(), free.grad


@pytest.mark.parametrize("finished", [0, 3])
@pytest.mark.parametrize("free", [1, 4])
def test_loss_and_gradient_are_those_of_one_graph_through_the_iterations(free, finished):
    z, ended = drawn(free, 16), drawn(finished, 16, seed=1)
    found = Clusters(drawn(5, 16, seed=2), masses_of(5))
    loss, expected = reference(z, ended, found)
    torch.testing.assert_close(transport_loss(torch.cat([ended, z]), found, 0.1, 5), loss)
    with torch.no_grad():  # as the sampler calls it
        gradient = transport_gradient(z, ended, found, 0.1, 5)
    torch.testing.assert_close(gradient, expected)
    assert not gradient.requires_grad


def test_groups_beside_each_other_are_each_as_alone():
    s = state(3, 16, finished=2)
    found = Clusters(drawn(5, 16, seed=2), masses_of(5))
    together = transport_gradient(s.z, s.finished, found, 0.1, 5)
    for i in range(2):
        torch.testing.assert_close(together[i], reference(s.z[i], s.finished[i], found)[1])


def test_an_image_alone_spreads_its_mass_over_the_centres_by_their_masses():
    z, found = drawn(1, 16), Clusters(drawn(5, 16, seed=2), masses_of(5))
    torch.testing.assert_close(plan(drawn(1, 5).abs(), found.shares, 0.1, 5)[0], found.shares)
    own, centres = (x / x.norm(dim=1, keepdim=True) for x in (z, found.centres))
    expected = (found.shares * (own - centres).norm(dim=1)).sum()
    torch.testing.assert_close(transport_loss(z, found, 0.1, 5), expected)


def test_an_image_goes_to_the_cluster_that_finished_ones_have_left():
    """Two clusters of one mass, an image at one of them: the next one goes to the other."""
    centres = torch.tensor([[4.0, 0.0], [0.0, 4.0]])
    found = Clusters(centres, torch.tensor([0.5, 0.5]))
    z = torch.tensor([[3.0, 2.0]])  # nearer to the first
    near, left = (
        transport_gradient(z, ended, found, 0.02, 200)[0] @ torch.tensor([-2.0, 3.0])
        for ended in (centres[1:], centres[:1])
    )
    assert left < -0.1 < 0.1 < near  # downhill is towards the second, and away from it


def test_mean_matching_is_the_case_of_one_cluster_and_one_image():
    """Where ẑ₀ = z_t/√ᾱ_t: the part of its gradient that turns a latent, in direction."""
    s = state(1, DIM, groups=1, ipc=1)
    s = replace(s, noise=torch.zeros_like(s.z))
    one = Clusters(s.class_mean, torch.ones(1, dtype=torch.float64))
    found = transport_gradient(s.predicted, s.finished, one, 0.1, 5)
    along = s.z / s.z.norm()
    drift = mean_gradient(s)
    turning = drift - (drift * along).sum() * along
    torch.testing.assert_close(found / found.norm(), turning / turning.norm())
    # The squared distance of directions is 2 - 2 cos: the same, up to its scale.
    leaf = s.predicted.clone().requires_grad_()
    (2 - 2 * torch.cosine_similarity(leaf[0], s.class_mean)).sum().backward()
    torch.testing.assert_close(leaf.grad / leaf.grad.norm(), found / found.norm())


def test_the_scale_of_latents_and_centres_changes_no_step_relative_to_them():
    z, ended = drawn(4, 16), drawn(2, 16, seed=1)
    found = Clusters(drawn(5, 16, seed=2), masses_of(5))
    near = transport_gradient(z, ended, found, 0.1, 5)
    wide = Clusters(10 * found.centres, found.shares)
    torch.testing.assert_close(1000 * transport_gradient(1000 * z, ended, wide, 0.1, 5), near)
    assert ((near * z).sum(1) / z.norm(dim=1)).abs().max() < 1e-12  # no latent grows or shrinks


def test_a_latent_in_the_direction_of_its_only_centre_stays():
    centre = Clusters(torch.tensor([[3.0, 4.0]]), torch.ones(1))
    found = transport_gradient(2 * centre.centres, torch.zeros(0, 2), centre, 0.1, 5)
    assert torch.equal(found, torch.zeros(1, 2))


def test_latents_that_are_not_finite_are_not_hidden():
    centres = Clusters(drawn(3, 4).float(), torch.full((3,), 1 / 3))
    for bad in (torch.nan, torch.inf):
        z = torch.zeros(2, 4)
        z[1, 2] = bad
        assert not transport_gradient(z, z[:0], centres, 0.1, 5)[1].isfinite().all()


def test_the_term_is_the_gradient_by_the_noisy_latent_times_the_steps_deviation(folder):
    """∇_{z_t} with the noise held still, of latents of the class itself."""
    s = replace(state(2, DIM, finished=1, groups=1), label=2)
    found = transport(OPTIONS, context(folder))(s)
    clusters_found = ClassClusters(context(folder), 4, "transport").of(0, 2)
    leaf = s.z.clone().requires_grad_()
    clean = (leaf - (1 - s.alpha_bar) ** 0.5 * s.noise) / s.alpha_bar**0.5
    known = Clusters(*(part.double() for part in clusters_found))
    transport_loss(torch.cat([s.finished, clean], 1), known, 0.1, 5).sum().backward()
    sigma = step_deviation(s.alpha_bar, s.alpha_bar_before)
    torch.testing.assert_close(found, sigma * leaf.grad)


# The term of a sampler.


@pytest.mark.parametrize("coupling", ["iid", "sequential", "joint"])
def test_guided_samples_have_a_lower_cost(folder, coupling):
    guide = Guide(60.0, transport(OPTIONS, context(folder)))
    model = toy_denoiser()
    plain, guided = (run(model, 4, COUPLINGS[coupling], g) for g in ([], [guide]))
    found = ClassClusters(context(folder), 4, "transport")

    def cost(sets):
        own = [transport_loss(z, found.of(0, c), 0.05, 200) for c, z in enumerate(sets.flatten(2))]
        return torch.stack(own).mean()

    assert cost(guided) < cost(plain) - 0.1


def test_a_class_does_not_depend_on_those_beside_it(folder):
    model = toy_denoiser()

    def sampled(classes):
        guide = Guide(20.0, transport(OPTIONS, context(folder)))
        return run(model, 4, joint, [guide], classes=classes)

    everything = sampled([0, 1, 2])
    assert torch.equal(sampled([1])[0], everything[1])
    assert torch.equal(sampled([2, 0]), everything[[2, 0]])
