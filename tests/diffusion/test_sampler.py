"""The sampler: DDPM's formulas, coupling and guidance, and failures that say where."""

from collections import Counter

import pytest
import torch

from lighthouse.couplings import iid, joint, sequential
from lighthouse.diffusion.calls import LADDER, ladder, sizes_of_calls
from lighthouse.diffusion.denoiser import null_label, predict
from lighthouse.diffusion.guided import GuidedDenoiser
from lighthouse.diffusion.sampler import (
    NonFiniteError,
    sample,
    sets_of,
)
from lighthouse.diffusion.schedule import ancestral
from lighthouse.guidance import Guide
from lighthouse.guidance.dpp import dpp_loss
from sampling import GUIDED, OPTIONS, Poisoned, alphas_bar, guides, relative, run, sampled
from toy import CHANNELS, CLASSES, SIDE, noise_of, toy_means, toy_sets

# The schedule.


def test_fifty_steps_are_spread_over_the_thousand_as_dit_does():
    steps = ancestral(50).timesteps
    assert len(steps) == 50
    assert (steps[0], steps[1], steps[-2], steps[-1]) == (999, 979, 20, 0)


def test_a_step_is_ddpms_posterior():
    scheduler, bar = ancestral(50), alphas_bar()
    rng = torch.Generator().manual_seed(0)
    z, noise = torch.randn(2, 1, 4, 4, 4, generator=rng, dtype=torch.float64)
    t, previous = 469, 449
    assert {t, previous} <= set(scheduler.timesteps.tolist())
    alpha = bar[t] / bar[previous]
    z0 = (z - (1 - bar[t]).sqrt() * noise) / bar[t].sqrt()
    mean = (bar[previous].sqrt() * (1 - alpha) * z0 + alpha.sqrt() * (1 - bar[previous]) * z) / (
        1 - bar[t]
    )
    std = ((1 - bar[previous]) / (1 - bar[t]) * (1 - alpha)).sqrt()
    drawn = torch.randn(4, 4, 4, generator=torch.Generator().manual_seed(7))
    got = scheduler.step(
        noise.float(), torch.tensor(t), z.float(), generator=[torch.Generator().manual_seed(7)]
    ).prev_sample
    torch.testing.assert_close(got.double(), mean + std * drawn, rtol=1e-5, atol=1e-5)


def test_two_steps_of_sampling_are_the_formulas_by_hand(model):
    bar = alphas_bar()
    (rng,) = toy_sets(1, classes=[1]).generators[0]
    z, fresh = (torch.randn(1, 4, 4, 4, generator=rng) for _ in range(2))
    label = torch.tensor([1])
    with torch.no_grad():
        noise = predict(model, z, torch.tensor([999]), label)
        z0 = (z - (1 - bar[999]).sqrt() * noise) / bar[999].sqrt()
        alpha = bar[999] / bar[0]
        z1 = (bar[0].sqrt() * (1 - alpha) * z0 + alpha.sqrt() * (1 - bar[0]) * z) / (1 - bar[999])
        z1 = (z1 + ((1 - bar[0]) / (1 - bar[999]) * (1 - alpha)).sqrt() * fresh).float()
        noise = predict(model, z1, torch.tensor([0]), label)
        expected = (z1 - (1 - bar[0]).sqrt() * noise) / bar[0].sqrt()
    options = {**OPTIONS, "steps": 2, "guidance_scale": 1.0, "micro_batch": 1}
    got = run(model, 1, options=options, classes=[1])
    assert relative(got[0], expected.float()) < 1e-4


def test_guidance_scale_mixes_the_predictions_with_and_without_a_class(model):
    z = noise_of(0, "ant", 0)[None]
    t, label = torch.tensor([0]), torch.tensor([0])
    with torch.no_grad():
        conditional = predict(model, z, t, label)
        unconditional = predict(model, z, t, torch.tensor([null_label(model)]))
    options = {**OPTIONS, "guidance_scale": 3.0}
    with torch.no_grad():
        got = GuidedDenoiser(model, "toy", options)(z, torch.tensor(0), label)
    torch.testing.assert_close(got, 3 * conditional - 2 * unconditional)


def test_at_guidance_scale_1_only_the_conditional_prediction_counts(model):
    null = null_label(model)
    poisoned = Poisoned(model, lambda t, labels: labels == null)
    options = {**OPTIONS, "guidance_scale": 1.0}
    torch.testing.assert_close(run(poisoned, 2, options=options), run(model, 2, options=options))
    with pytest.raises(NonFiniteError):
        run(poisoned, 2)


# Coupling and guidance.


@pytest.mark.parametrize("coupling", [joint, sequential])
def test_without_weights_every_coupling_is_iid_bit_for_bit(model, coupling):
    assert torch.equal(run(model, 3, coupling, guides(0, 0)), run(model, 3, iid))


@pytest.mark.parametrize("coupling", [joint, sequential])
def test_dpp_guidance_raises_log_det_over_iid(model, coupling):
    def log_det(latents):
        return -dpp_loss(latents.flatten(2).double(), 1e-3).mean()

    guided = run(model, 4, coupling, guides(eta_dpp=100.0))
    assert log_det(guided) > log_det(run(model, 4)) + 0.1


def test_mean_guidance_draws_the_mean_of_a_set_to_that_of_its_class(model):
    def drift(latents):
        return (latents.mean(1) - toy_means()).norm()

    guided = run(model, 4, joint, guides(mu_dm=4000.0))
    assert drift(guided) < 0.5 * drift(run(model, 4))


def test_under_sequential_a_later_image_does_not_move_an_earlier_one(model):
    guidance = guides(eta_dpp=100.0)
    two, three = (run(model, n, sequential, guidance) for n in (2, 3))
    assert torch.equal(two, three[:, :2])


def test_under_sequential_an_earlier_image_moves_a_later_one(model):
    guided = run(model, 2, sequential, guides(eta_dpp=100.0))
    free = run(model, 2)
    assert relative(guided[:, 0], free[:, 0]) < 1e-4
    assert relative(guided[:, 1], free[:, 1]) > 0.05


def test_finished_images_enter_at_their_place_at_this_noise_level(model):
    seen = []

    def spy(state):
        seen.append(state)
        return torch.zeros_like(state.z)

    result = run(model, 2, sequential, [Guide(1.0, spy)])
    last = seen[-1]  # the last set's
    expected = last.alpha_bar**0.5 * result[-1, 0].flatten()
    torch.testing.assert_close(last.finished[0, 0], expected)
    assert last.alpha_bar == pytest.approx(alphas_bar()[0].item(), rel=1e-5)
    assert last.ipc == 2


def test_guidance_outside_its_range_of_steps_has_no_effect(model):
    assert torch.equal(run(model, 3, joint, guides(100.0, 1000.0, steps=(300, 400))), run(model, 3))


def test_the_range_of_guided_steps_holds_its_first_and_not_its_last(model):
    asked = []

    def spy(state):
        asked.append(state.alpha_bar)
        return torch.zeros_like(state.z)

    steps = ancestral(5).timesteps.tolist()
    run(model, 1, joint, [Guide(1.0, spy, (steps[3], steps[1]))], classes=[0])
    expected = [alphas_bar()[t].item() for t in steps[2:4]]
    assert asked == pytest.approx(expected, rel=1e-4)


def spied(model, ipc, coupling, **which):
    """The states that a term is shown in a run of five steps."""
    seen = []

    def spy(state):
        seen.append(state)
        return torch.zeros_like(state.z)

    run(model, ipc, coupling, [Guide(1.0, spy)], **which)
    return seen


def test_a_term_is_told_its_set_and_the_place_of_each_image(model):
    seen = spied(model, 3, iid, seeds=(5, 7), classes=[2, 0])
    assert [(s.seed, s.label) for s in seen[:4]] == [(5, 2), (5, 0), (7, 2), (7, 0)]
    assert seen[0].images.tolist() == [[0], [1], [2]]
    last = spied(model, 3, sequential, classes=[0])[-1]
    assert last.images.tolist() == [[2]]


def test_a_term_sees_the_next_noise_level_and_at_the_last_step_none(model):
    seen = spied(model, 1, iid, classes=[0])
    levels = [s.alpha_bar for s in seen]
    assert [s.alpha_bar_before for s in seen] == pytest.approx([*levels[1:], 1.0])


def test_the_predicted_latent_and_the_noise_make_the_noisy_one(model):
    state = spied(model, 1, iid, classes=[1])[2]
    back = state.alpha_bar**0.5 * state.predicted + (1 - state.alpha_bar) ** 0.5 * state.noise
    torch.testing.assert_close(back, state.z)


@pytest.mark.parametrize("coupling", [iid, joint, sequential])
def test_the_way_back_is_that_of_the_pass_that_the_step_takes(model, coupling):
    """∂(Σ ẑ₀ · v)/∂z_t by finite differences of the guided prediction itself."""
    found = []

    def spy(state):
        v = torch.linspace(-1, 1, state.z.numel()).view_as(state.z)
        found.append((state, v, state.slope(v)))
        return torch.zeros_like(state.z)

    guide = Guide(1.0, spy, (600, 800), through_denoiser=True)
    run(model, 2, coupling, [guide], classes=[1])
    denoiser, t = GuidedDenoiser(model, "toy", OPTIONS), ancestral(5).timesteps[1]
    for state, v, slope in found:
        shape = (-1, *state.shape)

        def clean(z, state=state, shape=shape):
            labels = torch.full((z[..., 0].numel(),), 1)
            noise = denoiser(z.reshape(shape), t, labels).view_as(z)
            return (z - (1 - state.alpha_bar) ** 0.5 * noise) / state.alpha_bar**0.5

        way = torch.randn(state.z.shape, generator=torch.Generator().manual_seed(3))
        with torch.no_grad():
            ahead, behind = clean(state.z + 1e-2 * way), clean(state.z - 1e-2 * way)
            torch.testing.assert_close(clean(state.z), state.predicted, rtol=1e-5, atol=1e-5)
        numeric = ((ahead - behind) * v).sum() / 2e-2
        torch.testing.assert_close((slope * way).sum(), numeric, rtol=2e-3, atol=1e-3)
    assert len(found) == (2 if coupling is sequential else 1)


def test_a_term_that_goes_back_through_the_denoiser_changes_no_sample_by_itself(model):
    still = Guide(1.0, lambda state: torch.zeros_like(state.z), through_denoiser=True)
    assert torch.equal(run(model, 2, joint, [still]), run(model, 2, joint))


# What the denoiser is asked, and what it computes.


@pytest.mark.parametrize("count", [1, 2, 5, 7, 10, 11, 13, 25, 31, 32, 33, 50, 63, 100, 999])
@pytest.mark.parametrize("largest", [1, 2, 7, 32, 50, 300])
def test_calls_hold_what_there_is_and_are_of_few_sizes(count, largest):
    sizes = sizes_of_calls(count, ladder(largest))
    assert sum(sizes) == count
    assert set(sizes) <= {*LADDER, largest}
    assert max(sizes) <= largest
    assert len(sizes) <= count // largest + max(8, 8 + largest // LADDER[-1])


def test_the_paper_s_sequential_row_is_called_for_what_it_is():
    assert sizes_of_calls(10, ladder(32)) == [8, 2]


class Counting:
    """A denoiser that keeps the sizes of its calls."""

    def __init__(self, model):
        self.model, self.config, self.calls = model, model.config, []

    def __call__(self, z, timestep, class_labels):
        self.calls.append(len(z))
        return self.model(z, timestep=timestep, class_labels=class_labels)


@pytest.mark.parametrize("coupling", [iid, joint, sequential])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_every_coupling_asks_as_much_of_the_denoiser(model, coupling, scale):
    counting = Counting(model)
    options = {**OPTIONS, "guidance_scale": scale}
    work = sampled(counting, 3, coupling, GUIDED, options).work
    images, passes = 3 * 3, 1 if scale == 1 else 2
    assert work.evaluations == 5 * passes * images
    assert work.computed == sum(counting.calls) == work.evaluations
    assert work.gradients == 0


def test_a_step_that_goes_back_through_the_denoiser_runs_it_once(model):
    guide = Guide(1.0, lambda s: s.slope(s.predicted), (600, 1000), through_denoiser=True)
    counting = Counting(model)
    work = sampled(counting, 2, sequential, [guide]).work
    assert work.evaluations == work.computed == sum(counting.calls) == 5 * 2 * (3 * 2)
    assert work.gradients == 2 * 2 * (3 * 2)  # of two of the five steps


#: Ways in which Python gets a number out of a tensor, and waits for an accelerator.
WAITS = ("item", "__bool__", "__int__", "__float__", "__index__", "tolist", "numpy", "cpu")


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("guidance", [(), GUIDED], ids=["iid", "CGS"])
def test_a_step_waits_for_nothing_but_that_the_one_before_was_finite(
    model, monkeypatch, guidance, scale
):
    waits = []

    def count(name, own):
        def counted(self, *given, **options):
            waits.append((name, tuple(self.shape)))
            return own(self, *given, **options)

        return counted

    def waited(steps):
        waits.clear()
        options = {**OPTIONS, "steps": steps, "guidance_scale": scale}
        run(model, 2, joint, guidance, options)
        return Counter(waits)

    for name in WAITS:
        monkeypatch.setattr(torch.Tensor, name, count(name, getattr(torch.Tensor, name)))
    few = waited(5)
    more = waited(5 + 20) - few
    # Whether the six latents of each step were finite, which is on its way by then (``fetched``);
    # with guidance before it and behind it.
    shape = (2 if guidance else 1, 6)
    assert {what: n for what, n in more.items() if n >= 20} == {
        ("cpu", shape): 20,
        ("tolist", shape): 20,
    }


# Failures say where.


def test_a_latent_that_is_not_finite_stops_with_step_class_seed_and_image(model):
    step = ancestral(5).timesteps[2]
    sets = toy_sets(2, seeds=(0, 4))
    row = 4 * 2 + 1  # second seed, class "bee", image 1

    def where(t, labels):
        return (t == step) & (torch.arange(len(t)) == row)

    options = {**OPTIONS, "guidance_scale": 1.0, "micro_batch": 12}  # one call
    with pytest.raises(NonFiniteError) as error:
        sample(Poisoned(model, where), sets, joint(2), GUIDED, options)
    assert str(error.value) == (
        f"sampling: a latent is not finite at step t={int(step)}: class 'bee', seed 4, image 1"
    )


def test_what_is_not_finite_is_seen_at_the_last_step_too(model):
    poisoned = Poisoned(model, lambda t, labels: (t == 0) & (labels == 1))
    with pytest.raises(NonFiniteError, match=r"t=0: class 'bee', seed 0, image 0$"):
        run(poisoned, 2, options={**OPTIONS, "guidance_scale": 1.0})


def test_under_sequential_the_image_that_is_not_finite_is_named(model):
    calls = []

    def where(t, labels):
        calls.append(1)
        return (labels == 2) & (len(calls) > 5)  # from the second image on

    options = {**OPTIONS, "guidance_scale": 1.0}
    with pytest.raises(NonFiniteError, match=r"t=999: class 'cat', seed 0, image 1$"):
        run(Poisoned(model, where), 2, sequential, GUIDED, options)


class Roomy:
    """A denoiser on a device with room for a batch of ``room``."""

    def __init__(self, model, room):
        self.model, self.room, self.config = model, room, model.config

    def __call__(self, z, timestep, class_labels):
        if len(z) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.model(z, timestep=timestep, class_labels=class_labels)


def test_a_micro_batch_that_does_not_fit_is_answered_with_one_that_does(model):
    with pytest.raises(MemoryError) as error:
        run(Roomy(model, 5), 3, joint, GUIDED, {**OPTIONS, "micro_batch": 32})
    assert str(error.value) == (
        "16 latents in one call of the denoiser do not fit in this machine's memory; 4 fit: "
        "set datasets.toy.sampler.micro_batch to 4"
    )
    run(Roomy(model, 4), 3, joint, GUIDED, {**OPTIONS, "micro_batch": 4})


def test_a_denoiser_that_does_not_fit_at_all_is_said_to(model):
    with pytest.raises(MemoryError, match=r"6 latents in one call .* not even 1 fits"):
        run(Roomy(model, 0), 1)


# Nothing changes silently.


def test_a_small_run_gives_the_frozen_numbers(model):
    got = run(model, 2, joint, GUIDED)[:, :, 0, 0, 0]
    expected = torch.tensor(FROZEN)
    assert relative(got, expected) < 1e-4


FROZEN = [[-0.639015, -0.523533], [-0.240283, -0.11445], [-0.221073, 0.578867]]


def test_several_sets_of_a_class_are_of_its_images_one_set_behind_the_other():
    pools = sets_of("toy", CLASSES, toy_means(), (0, 1), 2, groups=3)
    assert pools.labels.tolist() == 2 * [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert (pools.seeds, pools.ipc) == ([0] * 9 + [1] * 9, 2)
    assert pools.names[4] == f"class {CLASSES[1]!r}, seed 0, set 1"
    first = torch.randn(CHANNELS, SIDE, SIDE, generator=pools.generators[5][1])
    assert torch.equal(first, noise_of(0, CLASSES[1], 5))  # the sixth image of the class
    one = sets_of("toy", CLASSES, toy_means(), (0,), 6).generators[2][3]
    own = sets_of("toy", CLASSES, toy_means(), (0,), 2, groups=3).generators[7][1]
    assert torch.equal(torch.randn(9, generator=own), torch.randn(9, generator=one))
