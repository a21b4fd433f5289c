"""What the options of a training mean, and what is said where a batch does not fit."""

import numpy as np
import pytest
import torch

from lighthouse.priors.length import n_steps
from lighthouse.priors.objectives import plain
from toy import toy_denoiser
from trainings import OPTIONS, assert_same, toy_latents, train

# Options.


def test_epochs_are_passes_over_the_images_the_last_batch_counted_whole():
    assert n_steps({"epochs": 8, "batch_size": 8}, 100) == 8 * 13
    assert n_steps({"epochs": 2, "batch_size": 50}, 100) == 4
    assert n_steps({"steps": 7, "batch_size": 8}, 100) == 7


def test_a_training_by_epochs_is_the_one_of_as_many_steps(tmp_path):
    # 12 images by 5 are three steps an epoch.
    common = {name: value for name, value in OPTIONS.items() if name != "steps"}
    common["batch_size"] = 5
    by_epochs, _ = train(tmp_path, options={**common, "epochs": 2})
    by_steps, _ = train(tmp_path, options={**common, "steps": 6})
    assert_same(by_epochs, by_steps)


def test_latents_on_disk_train_as_those_in_memory(tmp_path):
    np.save(tmp_path / "latents.npy", toy_latents())
    on_disk = np.load(tmp_path / "latents.npy", mmap_mode="r")
    assert_same(train(tmp_path, latents=on_disk)[0], train(tmp_path)[0])


def test_both_views_of_an_image_are_trained_on(tmp_path):
    latents, seen = toy_latents(views=2), []

    def spy(prediction, batch):
        seen.extend(zip(batch.chosen.tolist(), batch.z0.numpy(), strict=True))
        return plain(prediction, batch)

    train(tmp_path, spy, {**OPTIONS, "batch_size": 64, "steps": 3}, latents=latents)
    views = [[np.array_equal(z0, latents[row, view]) for view in (0, 1)] for row, z0 in seen]
    assert all(first != second for first, second in views)
    assert np.mean(views, axis=0)[1] == pytest.approx(0.5, abs=0.11)


def test_a_second_view_changes_none_of_the_other_draws_of_the_first_batch(tmp_path):
    seen = []

    def spy(prediction, batch):
        seen.append(batch)
        return plain(prediction, batch)

    for views in (1, 2):
        train(tmp_path, spy, {**OPTIONS, "steps": 1}, latents=toy_latents(views))
    one, two = seen
    for name in ("noise", "t", "labels", "chosen"):
        assert torch.equal(getattr(one, name), getattr(two, name))


def test_gradient_checkpointing_changes_no_weight(tmp_path):
    recomputed, _ = train(tmp_path, options={**OPTIONS, "gradient_checkpointing": True})
    assert not recomputed.is_gradient_checkpointing
    assert_same(recomputed, train(tmp_path)[0])


def test_half_precision_is_that_of_the_products_alone(tmp_path):
    seen, inputs = [], []

    def spy(prediction, batch):
        seen.append(prediction.dtype)
        return plain(prediction, batch)

    model = toy_denoiser()
    model.proj_out_2.register_forward_hook(lambda *call: inputs.append(call[2].dtype))
    half, _ = train(tmp_path, spy, {**OPTIONS, "precision": "bf16"}, model=model)
    whole, _ = train(tmp_path)
    assert set(inputs) == {torch.bfloat16}
    assert set(seen) == {torch.float32}
    assert {weight.dtype for weight in half.parameters()} == {torch.float32}
    assert not torch.equal(half.proj_out_2.weight, whole.proj_out_2.weight)
    torch.testing.assert_close(half.proj_out_2.weight, whole.proj_out_2.weight, atol=0.02, rtol=0)


# Memory.


def out_of_memory_above(limit):
    """A model that has memory for ``limit`` images."""
    model = toy_denoiser()

    def refuse(module, arguments):
        if len(arguments[0]) > limit:
            raise torch.OutOfMemoryError

    model.register_forward_pre_hook(refuse)
    return model


@pytest.mark.parametrize(("limit", "fits"), [(6, 4), (3, 2), (1, 1)])
def test_a_batch_that_does_not_fit_stops_the_run_and_says_what_does(tmp_path, limit, fits):
    options = {**OPTIONS, "batch_size": 8}
    with pytest.raises(MemoryError) as caught:
        train(tmp_path, options=options, model=out_of_memory_above(limit))
    assert str(caught.value) == (
        "a batch of 8 images on 1 device does not fit into this machine's memory; "
        f"{fits} fit: set batch_size, or gradient_checkpointing: true"
    )


def test_where_nothing_fits_the_message_says_so(tmp_path):
    with pytest.raises(MemoryError, match="not even one on each fits, or gradient_checkp"):
        train(tmp_path, model=out_of_memory_above(0))


def test_no_advice_to_do_what_is_done(tmp_path):
    options = {**OPTIONS, "gradient_checkpointing": True}
    with pytest.raises(MemoryError, match=r"2 fit: set batch_size$"):
        train(tmp_path, options={**options, "batch_size": 4}, model=out_of_memory_above(3))
