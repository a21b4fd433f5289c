"""Sets that start at images, and sets with no denoiser at all."""

import torch

from lighthouse.couplings import iid, joint, sequential
from lighthouse.diffusion.guided import GuidedDenoiser, Work
from lighthouse.diffusion.sampler import sample, sets_of, settle
from sampling import OPTIONS, alphas_bar, relative
from toy import CLASSES, noise_of, toy_means, toy_sets


def started(model, ipc, start_step, coupling=iid, steps=5, seeds=(0,)):
    """Samples of sets that start at some latents, and these: (B, N, c, h, w) each."""
    rng = torch.Generator().manual_seed(5)
    starts = torch.randn(len(seeds), 3, ipc, 4, 4, 4, generator=rng)
    sets = sets_of("toy", CLASSES, toy_means(), seeds, ipc, starts=starts)
    options = {**OPTIONS, "steps": steps, "start_step": start_step}
    return sample(model, sets, coupling(ipc), (), options), starts.flatten(0, 1)


def test_a_set_that_starts_at_images_has_them_noised_to_its_first_step(model, monkeypatch):
    asked, own = [], GuidedDenoiser.__call__

    def hear(denoiser, z, t, labels):
        asked.append((t, z.clone()))
        return own(denoiser, z, t, labels)

    monkeypatch.setattr(GuidedDenoiser, "__call__", hear)
    found, starts = started(model, 1, 751)
    # Of the steps 999, 749, 500, 250, 0.
    assert [step for step, _ in asked] == [749, 500, 250, 0]
    assert found.work.evaluations == 3 * 2 * 4
    bar = alphas_bar()[749].float()
    noise = torch.stack([noise_of(0, name, 0) for name in CLASSES])
    expected = bar.sqrt() * starts[:, 0] + (1 - bar).sqrt() * noise
    torch.testing.assert_close(asked[0][1], expected, rtol=0, atol=1e-5)


def test_a_late_start_leaves_an_image_as_it_is(model):
    (near, _), starts = started(model, 2, 1)
    (far, _), _ = started(model, 2, 1000)
    assert relative(near, starts) < 0.05
    assert relative(far, starts) > 0.5


def test_the_start_of_an_image_does_not_depend_on_the_sets_beside_it(model):
    whole, _ = started(model, 3, 751, joint)
    alone, _ = started(model, 3, 751, sequential)
    assert torch.equal(whole.latents, alone.latents)
    seeds = tuple(range(40))
    many, starts = started(model, 3, 751, seeds=seeds)
    sets = sets_of("toy", CLASSES, toy_means(), seeds[-1:], 3, starts=starts[None, -3:])
    few = sample(model, sets, iid(3), (), {**OPTIONS, "start_step": 751})
    assert torch.equal(many.latents[-3:], few.latents)


def test_without_a_denoiser_sets_are_what_a_term_makes_of_noise_or_of_their_starts():
    def alone(z, label):
        return z + 10 * label

    free = settle(toy_sets(2, seeds=(0, 1)), alone)
    noise = torch.stack(
        [torch.stack([noise_of(s, c, i) for i in range(2)]) for s in (0, 1) for c in CLASSES]
    )
    shift = 10 * torch.arange(3).repeat(2)[:, None, None, None, None]
    torch.testing.assert_close(free.latents, noise + shift)
    assert free.work == Work()
    starts = torch.ones(2, 3, 2, 4, 4, 4)
    sets = sets_of("toy", CLASSES, toy_means(), (0, 1), 2, starts=starts)
    torch.testing.assert_close(settle(sets, alone).latents, 1.0 + shift.expand(6, 2, 4, 4, 4))
