"""Samples do not depend on how the work is divided."""

import pytest
import torch

from lighthouse.couplings import COUPLINGS, joint
from lighthouse.diffusion import sampler
from lighthouse.diffusion.calls import (
    sizes_of_calls,
    steady_rows,
    steady_sizes,
)
from lighthouse.diffusion.denoiser import new_denoiser
from lighthouse.diffusion.guided import GuidedDenoiser, Work
from lighthouse.diffusion.sampler import (
    sample,
    sets_of,
)
from sampling import GUIDED, OPTIONS, guides, relative, run
from toy import CLASSES, noise_of, redrawn, toy_means, toy_sets

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
    guidance = guides(100.0, 1000.0, latent_dim=256)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            sets = sets_of("toy", list("abcdefghij"), means, [0], 5)
            options = {**OPTIONS, "steps": 2, "micro_batch": 64}
            found.append(sample(model, sets, joint(5), guidance, options).latents)
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


def test_the_device_holds_one_large_set_at_a_time_or_some_small_ones(model, monkeypatch):
    held = []
    asked = GuidedDenoiser.__call__

    def spy(self, z, *rest):
        held.append(len(z))
        return asked(self, z, *rest)

    monkeypatch.setattr(GuidedDenoiser, "__call__", spy)
    options = {**OPTIONS, "steps": 2, "micro_batch": 2}
    for ipc, sets_held in ((20, [20] * 3), (3, [15, 3])):
        held.clear()
        run(model, ipc, joint, GUIDED, options, seeds=(0, 1) if ipc == 3 else (0,))
        assert held[::2] == sets_held


# A call's size changes nothing.


def digits_dit(dtype=torch.float32):
    """A DiT of the default's size, 16 tokens of 64 numbers."""
    options = {"layers": 2, "heads": 4, "head_dim": 16, "patch_size": 2}
    torch.manual_seed(0)
    return redrawn(new_denoiser(options, 1, 8, 10), 0.05).to(dtype)


def test_a_dit_says_the_same_bits_of_a_latent_in_calls_of_every_size_that_is_used():
    denoiser = GuidedDenoiser(digits_dit(), "toy", {**OPTIONS, "micro_batch": 50})
    rng = torch.Generator().manual_seed(5)
    z, labels = torch.randn(50, 1, 8, 8, generator=rng), torch.arange(50) % 10
    counts = (1, 2, 3, 5, 9, 13, 17, 31, 49)
    batches = [labels[:count].tolist() for count in (50, *counts)]
    with torch.no_grad(), denoiser.steady((1, 8, 8), batches, "cpu"):
        whole = denoiser(z, torch.tensor(300), labels)
        for count in counts:
            part = denoiser(z[1 : 1 + count], torch.tensor(300), labels[1 : 1 + count])
            assert torch.equal(part, whole[1 : 1 + count])


def test_a_latent_is_the_same_bits_in_every_place_of_every_call():
    denoiser = GuidedDenoiser(digits_dit(), "toy", {**OPTIONS, "micro_batch": 50})
    rng = torch.Generator().manual_seed(6)
    z, labels = torch.randn(50, 1, 8, 8, generator=rng), torch.zeros(50, dtype=torch.int64)
    with torch.no_grad(), denoiser.steady((1, 8, 8), [[0] * 50], "cpu"):
        whole = denoiser(z, torch.tensor(300), labels)
        for shift in (1, 2, 7, 25, 49):
            moved = denoiser(z.roll(shift, 0), torch.tensor(300), labels)
            assert torch.equal(moved.roll(-shift, 0), whole)


def odd(sizes=(), places=()):
    """A call that says other bytes at some sizes, and at some places of those of 10 and more."""

    def call(z, number):
        said = z * (1 + (len(z) in sizes) * 1e-6)
        for place in places if len(z) >= 10 else ():
            said[place] *= 1 + 1e-6
        return said

    return call


def test_sizes_that_give_other_bytes_are_not_used():
    call = odd(sizes=(2, 6))
    assert steady_sizes(call, (1, 2, 2), 10, [9]) == [9, 10]
    assert steady_sizes(call, (1, 2, 2), 10, [16]) == [1, 3, 4, 10]
    assert steady_sizes(call, (1, 2, 2), 10, [12, 17]) == [1, 3, 4, 7, 10]


def test_a_largest_call_in_which_places_differ_is_not_used():
    call = odd(places=(9,))
    assert steady_sizes(call, (1, 2, 2), 10, [10, 50]) == [2, 8]
    assert [sizes_of_calls(count, [2, 8]) for count in (10, 50)] == [[8, 2], [8] * 6 + [2]]


def test_a_size_is_tried_once_whatever_is_left_over():
    tried, known, call = [], {}, odd(sizes=(2, 6))

    def counted(z, number):
        tried.append(len(z))
        return call(z, number)

    for counts in ([9], [16], [9, 16]):
        assert steady_sizes(counted, (1, 2, 2), 10, counts, known) == steady_sizes(
            call, (1, 2, 2), 10, counts
        )
    assert set(known) == set(tried)
    assert len(tried) == 3 * len(known) - 2 * [*known.values()].count(None)


def test_a_model_is_tried_once_for_all_sets_of_one_kind(monkeypatch):
    model, asked = digits_dit(), []
    call = GuidedDenoiser._call
    monkeypatch.setattr(
        GuidedDenoiser, "_call", lambda self, *given: asked.append(1) or call(self, *given)
    )

    def sizes(options=OPTIONS, batches=((0, 1) * 13,)):
        asked.clear()
        with torch.no_grad():
            denoiser = GuidedDenoiser(model, "toy", {**options, "micro_batch": 20})
            with denoiser.steady((1, 8, 8), batches, "cpu"):
                return denoiser.sizes, len(asked), denoiser.work.computed

    found, first, computed = sizes()
    assert first > 0 and computed == 0
    assert sizes() == (found, 0, 0)
    # Another precision, and other classes, are other calls.
    assert sizes({**OPTIONS, "precision": "bf16"})[1] > 0
    assert sizes(batches=((0, 2) * 13,))[1] > 0


def test_what_is_left_over_is_one_call_where_its_size_may_be_used():
    sizes = steady_sizes(lambda z, number: z, (1, 2, 2), 32, [10, 50, 7])
    assert [sizes_of_calls(count, sizes) for count in (10, 50, 7)] == [[10], [32, 18], [7]]


def test_what_is_left_of_a_ladder_without_small_sizes_fills_up_the_last_call():
    assert sizes_of_calls(10, [4, 8, 32]) == [8, 4]
    assert sizes_of_calls(3, [4, 8, 32]) == [4]
    assert sizes_of_calls(32, [32]) == [32]


def test_filling_up_is_counted_and_not_returned(model):
    denoiser = GuidedDenoiser(model, "toy", {**OPTIONS, "guidance_scale": 1.0})
    denoiser.sizes = [4, 8]
    z = noise_of(0, "ant", 0).expand(3, -1, -1, -1)
    with torch.no_grad():
        assert len(denoiser(z, torch.tensor(10), torch.zeros(3, dtype=torch.int64))) == 3
    assert denoiser.work == Work(evaluations=3, computed=4)


def test_the_rows_of_a_dit_are_filled_up_within_the_block_alone(model):
    rows = []
    layer = model.transformer_blocks[1].norm1.linear
    hook = layer.register_forward_hook(lambda layer, given, output: rows.append(len(given[0])))
    z, t, labels = noise_of(0, "ant", 0)[None], torch.tensor([10]), torch.tensor([0])
    try:
        with torch.no_grad():
            plain = model(z, timestep=t, class_labels=labels).sample
            with steady_rows(model, 6):
                filled = model(z, timestep=t, class_labels=labels).sample
            again = model(z, timestep=t, class_labels=labels).sample
    finally:
        hook.remove()
    assert rows == [1, 6, 1]
    assert relative(filled, plain) < 1e-5
    assert torch.equal(again, plain)


@pytest.mark.parametrize("micro_batch", [1, 5, 32])
def test_the_size_of_a_micro_batch_moves_a_sample_by_rounding_alone(model, micro_batch):
    other = run(model, 3, joint, GUIDED, {**OPTIONS, "micro_batch": micro_batch})
    assert relative(other, run(model, 3, joint, GUIDED)) < 1e-4


def test_a_run_repeats_bit_for_bit(model):
    assert torch.equal(run(model, 3, joint, GUIDED), run(model, 3, joint, GUIDED))


@pytest.mark.parametrize("n", [1, 2, 4])
def test_under_iid_the_smaller_set_begins_the_larger(model, n):
    assert torch.equal(run(model, n), run(model, 5)[:, :n])
