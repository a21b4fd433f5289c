"""The sampler: DDPM's formulas, and samples that do not depend on how the work is divided."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lighthouse.couplings import COUPLINGS, iid, joint, sequential
from lighthouse.diffusion import sampler
from lighthouse.diffusion.denoiser import new_denoiser, null_label, predict
from lighthouse.diffusion.sampler import (
    NonFiniteError,
    _guided_prediction,
    noise_schedule,
    sample,
    sets_of,
)
from lighthouse.guidance import weighted_terms
from lighthouse.guidance.dpp import dpp_loss
from lighthouse.runtime.rng import image_generators
from toy import CLASSES, DIM, noise_of, redrawn, toy_denoiser, toy_means, toy_sets

OPTIONS = {
    "semantics": "diffusers",
    "steps": 5,
    "guidance_scale": 2.0,
    "micro_batch": 8,
    "precision": "fp32",
}
DIT = {**OPTIONS, "semantics": "dit"}
SHARED = {"epsilon": 1e-3}


@pytest.fixture(scope="module")
def model():
    return toy_denoiser()


def terms(eta_dpp=0.0, mu_dm=0.0):
    weights = {"eta_dpp": eta_dpp, "mu_dm": mu_dm}
    return weighted_terms(("dpp", "mean"), weights, SHARED, DIM)


GUIDED = terms(eta_dpp=100.0, mu_dm=1000.0)


def run(model, ipc, coupling=iid, guidance=(), options=OPTIONS, guided=(0, 1000), **which):
    return sample(model, toy_sets(ipc, **which), coupling(ipc), guidance, options, guided)


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def alphas_bar():
    """ᾱ of DiT's linear schedule in float64, (1000,)."""
    return torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)


class Poisoned:
    """A denoiser whose prediction is NaN where ``where(t, labels)`` says so."""

    def __init__(self, model, where):
        self.model, self.where, self.config = model, where, model.config

    def __call__(self, z, timestep, class_labels):
        prediction = self.model(z, timestep=timestep, class_labels=class_labels).sample.clone()
        prediction[self.where(timestep, class_labels)] = float("nan")
        return SimpleNamespace(sample=prediction)


# The schedule.


def test_fifty_steps_are_spread_over_the_thousand_as_dit_does():
    steps = noise_schedule(50).timesteps
    assert len(steps) == 50
    assert (steps[0], steps[1], steps[-2], steps[-1]) == (999, 979, 20, 0)


def test_a_step_is_ddpms_posterior():
    scheduler, bar = noise_schedule(50), alphas_bar()
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
        got = _guided_prediction(model, z, torch.tensor(0), label, options)
    torch.testing.assert_close(got, 3 * conditional - 2 * unconditional)


def test_at_guidance_scale_1_only_the_conditional_prediction_counts(model):
    null = null_label(model)
    poisoned = Poisoned(model, lambda t, labels: labels == null)
    options = {**OPTIONS, "guidance_scale": 1.0}
    torch.testing.assert_close(run(poisoned, 2, options=options), run(model, 2, options=options))
    with pytest.raises(NonFiniteError):
        run(poisoned, 2)


# What a step makes of the prediction: the reference's formulas, in float64.


class Formula:
    """A denoiser that numpy can repeat: noise and variance by label, far from each other."""

    def __init__(self, channels, learned_variance=True):
        self.config = SimpleNamespace(
            in_channels=channels,
            out_channels=channels * (1 + learned_variance),
            num_embeds_ada_norm=len(CLASSES),
        )

    def __call__(self, z, timestep, class_labels):
        noise, variance = self.parts(
            z, timestep.view(-1, 1, 1, 1) / 1000, class_labels.view(-1, 1, 1, 1), torch.tanh
        )
        learned = self.config.out_channels > self.config.in_channels
        return SimpleNamespace(sample=torch.cat([noise, variance], 1) if learned else noise)

    @staticmethod
    def parts(z, time, label, tanh):
        return 0.8 * z + 0.1 * label + 0.2 * time, tanh(0.7 * z + 0.4 * label - 0.5)


def space_timesteps(steps):
    """Respacing of IDDPM, as DiT calls it: fractional strides, rounded one by one."""
    position, taken = 0.0, []
    for _ in range(steps):
        taken.append(round(position))
        position += 999 / (steps - 1)
    return taken


def reference_sample(z, draws, label, steps, scale, guided_channels):
    """Ancestral sampling of DiT in float64 numpy; one latent (c, h, w)."""
    bar = alphas_bar().numpy()[space_timesteps(steps)]
    before = np.append(1.0, bar[:-1])
    beta = 1 - bar / before
    small = beta * (1 - before) / (1 - bar)
    for i in reversed(range(steps)):
        time = space_timesteps(steps)[i] / 1000
        noise, v = Formula.parts(z, time, label, np.tanh)
        unconditional, _ = Formula.parts(z, time, len(CLASSES), np.tanh)
        g = guided_channels
        noise[:g] = unconditional[:g] + scale * (noise[:g] - unconditional[:g])
        z0 = z / np.sqrt(bar[i]) - np.sqrt(1 / bar[i] - 1) * noise
        z = (
            beta[i] * np.sqrt(before[i]) / (1 - bar[i]) * z0
            + (1 - before[i]) * np.sqrt(1 - beta[i]) / (1 - bar[i]) * z
        )
        if i:
            share = (v + 1) / 2
            log_variance = share * np.log(beta[i]) + (1 - share) * np.log(small[i])
            z = z + np.exp(0.5 * log_variance) * next(draws)
    return z


@pytest.mark.parametrize("channels", [4, 1])
@pytest.mark.parametrize("steps", [2, 7])
def test_dit_semantics_are_the_references_formulas(steps, channels):
    shape = (channels, 4, 4)
    sets = sets_of("toy", CLASSES, torch.zeros(3, *shape), [0], 2)
    options = {**DIT, "steps": steps, "guidance_scale": 3.0}
    got = sample(Formula(channels), sets, iid(2), (), options)
    (rng,) = image_generators(0, "toy", "cat", [1])
    draws = (torch.randn(shape, generator=rng).double().numpy() for _ in range(steps))
    expected = reference_sample(next(draws), draws, 2, steps, 3.0, guided_channels=3)
    np.testing.assert_allclose(got[2, 1], expected, rtol=1e-4, atol=1e-4 * abs(expected).max())


def test_fifty_steps_are_those_of_the_references_respacing():
    for steps in (2, 7, 50, 250):
        assert noise_schedule(steps).timesteps.tolist() == space_timesteps(steps)[::-1]


def test_dit_guides_three_channels_and_keeps_the_conditional_rest():
    model = toy_denoiser(learned_variance=True)
    z, t, label = noise_of(0, "ant", 0)[None], torch.tensor([400]), torch.tensor([0])
    with torch.no_grad():
        given = predict(model, z, t, label)
        nothing = predict(model, z, t, torch.tensor([null_label(model)]))
        got = _guided_prediction(model, z, torch.tensor(400), label, {**DIT, "guidance_scale": 4.0})
    torch.testing.assert_close(got[:, :3], 4 * given[:, :3] - 3 * nothing[:, :3])
    assert torch.equal(got[:, 3:], given[:, 3:])


def test_diffusers_semantics_drop_a_learned_variance():
    class Half:
        def __init__(self, model):
            self.model, self.config = model, model.config

        def __call__(self, z, timestep, class_labels):
            full = self.model(z, timestep=timestep, class_labels=class_labels).sample
            return SimpleNamespace(sample=full[:, :4])

    model = toy_denoiser(learned_variance=True)
    assert torch.equal(run(model, 2, joint, GUIDED), run(Half(model), 2, joint, GUIDED))


def test_dit_semantics_of_a_model_without_learned_variance_are_refused_before_any_step():
    asked = []
    model = Formula(4, learned_variance=False)
    model.__class__ = type("Asked", (Formula,), {"__call__": lambda *a, **k: asked.append(a)})
    with pytest.raises(ValueError, match=r"'dit' takes the variance .* that of toy predicts noise"):
        run(model, 2, options=DIT)
    assert not asked


def test_bf16_is_the_denoisers_alone(model):
    seen = []

    def spy(state):
        seen.append((torch.is_autocast_enabled("cpu"), state.z.dtype))
        return torch.zeros_like(state.z)

    exact = run(model, 2, joint, [(1.0, spy)])
    rough = run(model, 2, joint, [(1.0, spy)], {**OPTIONS, "precision": "bf16"})
    assert set(seen) == {(False, torch.float32)}
    assert rough.dtype == torch.float32
    assert 1e-5 < relative(rough, exact) < 0.1


# The noise of an image is its own.


def test_the_first_noise_of_an_image_follows_from_its_seed_class_and_index():
    sets = toy_sets(3, seeds=(0, 1))
    drawn = torch.randn(4, 4, 4, generator=sets.generators[1 * len(CLASSES) + 2][1])
    assert torch.equal(drawn, noise_of(1, "cat", 1))


@pytest.mark.parametrize(
    "other", [(1, "ant", 0), (0, "bee", 0), (0, "ant", 1)], ids=["seed", "class", "index"]
)
def test_images_that_differ_in_one_of_these_have_other_noise(other):
    assert not torch.equal(noise_of(*other), noise_of(0, "ant", 0))


def test_sets_run_through_the_classes_of_each_seed():
    sets = sets_of("toy", CLASSES, toy_means(), [3, 5], 2)
    assert sets.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert sets.names[4] == "class 'bee', seed 5"
    torch.testing.assert_close(sets.class_means[4], toy_means()[1].flatten())


# Dividing the work changes nothing.


@pytest.mark.parametrize("name", COUPLINGS)
def test_a_sample_is_the_same_bits_in_a_job_of_fewer_classes(model, name):
    guidance = () if name == "iid" else GUIDED
    whole = run(model, 3, COUPLINGS[name], guidance)
    part = run(model, 3, COUPLINGS[name], guidance, classes=[2])
    assert torch.equal(part[0], whole[2])


@pytest.mark.parametrize("name", COUPLINGS)
def test_a_sample_is_the_same_bits_in_a_job_of_fewer_seeds(model, name):
    guidance = () if name == "iid" else GUIDED
    whole = run(model, 3, COUPLINGS[name], guidance, seeds=(0, 1))
    part = run(model, 3, COUPLINGS[name], guidance, seeds=(1,))
    assert torch.equal(part, whole[len(CLASSES) :])


def test_a_sample_is_the_same_bits_under_one_and_two_threads():
    # Of the digits' size: matrices as small as the toy's are never split over threads.
    options = {"layers": 1, "heads": 4, "head_dim": 24, "patch_size": 2}
    torch.manual_seed(0)
    model = redrawn(new_denoiser(options, 4, 8, 10), 0.05)
    means = torch.randn(10, 4, 8, 8)
    guidance = weighted_terms(("dpp", "mean"), {"eta_dpp": 100.0, "mu_dm": 1000.0}, SHARED, 256)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            sets = sets_of("toy", list("abcdefghij"), means, [0], 5)
            found.append(
                sample(model, sets, joint(5), guidance, {**OPTIONS, "steps": 2, "micro_batch": 64})
            )
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


@pytest.mark.parametrize("name", COUPLINGS)
@pytest.mark.parametrize("ipc", [3, 5])
def test_a_sample_is_the_same_bits_however_many_sets_lie_beside_it(model, name, ipc, monkeypatch):
    # Of 5 images the DPP kernels are 25 numbers: LAPACK's result for one of several that
    # lie behind each other depends on where it lies.
    found = []
    for side_by_side in (1, 2, 100):
        monkeypatch.setattr(sampler, "SIDE_BY_SIDE", side_by_side)
        found.append(run(model, ipc, COUPLINGS[name], GUIDED, seeds=(0, 1)))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_the_device_holds_one_large_set_at_a_time_and_calls_of_one_size(model, monkeypatch):
    held, called = [], []
    prediction = sampler._prediction

    def spy(model, z, *rest):
        held.append(len(z))
        return prediction(model, z, *rest)

    class Counted:
        config = model.config

        def __call__(self, z, timestep, class_labels):
            called.append(len(z))
            return model(z, timestep=timestep, class_labels=class_labels)

    monkeypatch.setattr(sampler, "_prediction", spy)
    options = {**OPTIONS, "steps": 2, "micro_batch": 2}
    for ipc, sets_held in ((20, [20] * 3), (3, [15, 3])):
        held.clear()
        run(Counted(), ipc, joint, GUIDED, options, seeds=(0, 1) if ipc == 3 else (0,))
        assert held[::2] == sets_held
    assert set(called) == {2}


@pytest.mark.parametrize("micro_batch", [1, 5, 32])
def test_the_size_of_a_micro_batch_moves_a_sample_by_rounding_alone(model, micro_batch):
    other = run(model, 3, joint, GUIDED, {**OPTIONS, "micro_batch": micro_batch})
    assert relative(other, run(model, 3, joint, GUIDED)) < 1e-4


def test_a_run_repeats_bit_for_bit(model):
    assert torch.equal(run(model, 3, joint, GUIDED), run(model, 3, joint, GUIDED))


@pytest.mark.parametrize("n", [1, 2, 4])
def test_under_iid_the_smaller_set_begins_the_larger(model, n):
    assert torch.equal(run(model, n), run(model, 5)[:, :n])


# Coupling and guidance.


@pytest.mark.parametrize("coupling", [joint, sequential])
def test_without_weights_every_coupling_is_iid_bit_for_bit(model, coupling):
    assert torch.equal(run(model, 3, coupling, terms(0, 0)), run(model, 3, iid))


@pytest.mark.parametrize("coupling", [joint, sequential])
def test_dpp_guidance_raises_log_det_over_iid(model, coupling):
    def log_det(latents):
        return -dpp_loss(latents.flatten(2).double(), 1e-3).mean()

    guided = run(model, 4, coupling, terms(eta_dpp=100.0))
    assert log_det(guided) > log_det(run(model, 4)) + 0.1


def test_mean_guidance_draws_the_mean_of_a_set_to_that_of_its_class(model):
    def drift(latents):
        return (latents.mean(1) - toy_means()).norm()

    guided = run(model, 4, joint, terms(mu_dm=4000.0))
    assert drift(guided) < 0.5 * drift(run(model, 4))


def test_under_sequential_a_later_image_does_not_move_an_earlier_one(model):
    guidance = terms(eta_dpp=100.0)
    two, three = (run(model, n, sequential, guidance) for n in (2, 3))
    assert torch.equal(two, three[:, :2])


def test_under_sequential_an_earlier_image_moves_a_later_one(model):
    guided = run(model, 2, sequential, terms(eta_dpp=100.0))
    free = run(model, 2)
    assert relative(guided[:, 0], free[:, 0]) < 1e-4
    assert relative(guided[:, 1], free[:, 1]) > 0.05


def test_finished_images_enter_at_their_place_at_this_noise_level(model):
    seen = []

    def spy(state):
        seen.append(state)
        return torch.zeros_like(state.z)

    result = run(model, 2, sequential, [(1.0, spy)])
    last = seen[-1]  # the last set's
    expected = last.alpha_bar**0.5 * result[-1, 0].flatten()
    torch.testing.assert_close(last.finished[0, 0], expected)
    assert last.alpha_bar == pytest.approx(alphas_bar()[0].item(), rel=1e-5)
    assert last.ipc == 2


def test_guidance_outside_its_range_of_steps_has_no_effect(model):
    assert torch.equal(run(model, 3, joint, GUIDED, guided=(300, 400)), run(model, 3))


def test_the_range_of_guided_steps_holds_its_first_and_not_its_last(model):
    asked = []

    def spy(state):
        asked.append(state.alpha_bar)
        return torch.zeros_like(state.z)

    steps = noise_schedule(5).timesteps.tolist()
    run(model, 1, joint, [(1.0, spy)], guided=(steps[3], steps[1]), classes=[0])
    expected = [alphas_bar()[t].item() for t in steps[2:4]]
    assert asked == pytest.approx(expected, rel=1e-4)


# Failures say where.


def test_a_latent_that_is_not_finite_stops_with_step_class_seed_and_image(model):
    step = noise_schedule(5).timesteps[2]
    sets = toy_sets(2, seeds=(0, 4))
    row = 4 * 2 + 1  # second seed, class "bee", image 1

    def where(t, labels):
        return (t == step) & (torch.arange(len(t)) == row)

    options = {**OPTIONS, "guidance_scale": 1.0, "micro_batch": 12}
    with pytest.raises(NonFiniteError) as error:
        sample(Poisoned(model, where), sets, joint(2), GUIDED, options)
    assert str(error.value) == (
        f"sampling: a latent is not finite at step t={int(step)}: class 'bee', seed 4, image 1"
    )


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
        "micro_batch 32 does not fit in this machine's memory; 4 fits: "
        "set datasets.toy.sampler.micro_batch"
    )
    run(Roomy(model, 4), 3, joint, GUIDED, {**OPTIONS, "micro_batch": 4})


def test_a_denoiser_that_does_not_fit_at_all_is_said_to(model):
    with pytest.raises(MemoryError, match=r"micro_batch 8 does not fit .* not even 1 fits"):
        run(Roomy(model, 0), 1)


# Nothing changes silently.


def test_a_small_run_gives_the_frozen_numbers(model):
    got = run(model, 2, joint, GUIDED)[:, :, 0, 0, 0]
    expected = torch.tensor(FROZEN)
    assert relative(got, expected) < 1e-4


FROZEN = [[-0.55372, -0.48674], [-0.139221, -0.071186], [-0.131016, 0.612095]]
