"""The training loop of a prior: it learns, it goes on where it stopped, it fails loudly."""

import pytest
import torch

from lighthouse.diffusion.denoiser import new_denoiser, null_label
from lighthouse.priors.objectives import plain
from lighthouse.priors.training import train_prior
from toy import toy_denoiser

OPTIONS = {
    "steps": 8,
    "batch_size": 6,
    "learning_rate": 1e-2,
    "schedule": "one-cycle",
    "class_dropout": 0.3,
    "ema": 0.9,
    "objective": "plain",
}


class StoppedError(Exception):
    """Stands for a job that was killed."""


def stopping_at(step):
    """An objective that is plain until a step, and then stops the run."""
    calls = []

    def objective(prediction, batch):
        calls.append(1)
        if len(calls) > step:
            raise StoppedError
        return plain(prediction, batch)

    return objective


def train(folder, objective=plain, options=OPTIONS, model=None, seconds=60.0, seed=0):
    rng = torch.Generator().manual_seed(2)
    means = torch.randn(12, 4, 4, 4, generator=rng)
    return train_prior(
        model or toy_denoiser(),
        means,
        torch.arange(12) % 3,
        objective,
        options,
        seed,
        checkpoint=folder / "checkpoint",
        checkpoint_seconds=seconds,
    )


def assert_same(one, other):
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_the_loss_falls(tmp_path):
    losses = []

    def spy(prediction, batch):
        loss, parts = plain(prediction, batch)
        losses.append(loss.item())
        return loss, parts

    options = {"layers": 2, "heads": 2, "head_dim": 8, "patch_size": 2}
    untrained = new_denoiser(options, 4, 4, 3)
    train(tmp_path, spy, {**OPTIONS, "steps": 80, "batch_size": 32}, model=untrained)
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_a_run_repeats_bit_for_bit(tmp_path):
    (one, one_losses), (other, other_losses) = train(tmp_path), train(tmp_path)
    assert_same(one, other)
    assert one_losses == other_losses


def test_another_seed_gives_another_model(tmp_path):
    one, other = (train(tmp_path, seed=seed)[0].proj_out_2.weight for seed in (0, 1))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
@pytest.mark.parametrize("step", [1, 5])
def test_an_interrupted_run_that_goes_on_ends_as_one_that_was_not(tmp_path, schedule, step):
    options = {**OPTIONS, "schedule": schedule}
    with pytest.raises(StoppedError):
        train(tmp_path, stopping_at(step), options, seconds=0)
    assert (tmp_path / "checkpoint").exists()
    steps = []

    def counted(prediction, batch):
        steps.append(1)
        return plain(prediction, batch)

    resumed, _ = train(tmp_path, counted, options)
    whole, _ = train(tmp_path / "elsewhere", options=options)
    assert len(steps) == OPTIONS["steps"] - step
    assert_same(resumed, whole)


def test_an_interrupted_run_that_goes_on_reports_the_losses_of_one_that_was_not(tmp_path):
    with pytest.raises(StoppedError):
        train(tmp_path, stopping_at(5), seconds=0)
    _, resumed = train(tmp_path)
    _, whole = train(tmp_path / "elsewhere")
    assert resumed == whole


@pytest.mark.parametrize(
    "other",
    [{"options": {**OPTIONS, "learning_rate": 2e-2}}, {"seed": 1}, {"model": toy_denoiser(5)}],
    ids=["options", "seed", "initial weights"],
)
def test_a_checkpoint_of_another_run_is_ignored(tmp_path, other):
    with pytest.raises(StoppedError):
        train(tmp_path, stopping_at(5), seconds=0, **other)
    fresh, _ = train(tmp_path)
    whole, _ = train(tmp_path / "elsewhere")
    assert_same(fresh, whole)


def test_a_finished_run_leaves_no_checkpoint(tmp_path):
    train(tmp_path, seconds=0)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_a_number_stops_the_run_and_leaves_nothing(tmp_path):
    def broken(prediction, batch):
        return prediction.sum() * float("nan"), {}

    with pytest.raises(FloatingPointError, match="prior, step 0: the loss is nan"):
        train(tmp_path, broken)
    assert list(tmp_path.iterdir()) == []


def test_the_average_is_kept_and_not_the_last_weights(tmp_path):
    model = toy_denoiser()
    average, _ = train(tmp_path, model=model)
    assert not torch.equal(average.proj_out_2.weight, model.proj_out_2.weight)


def test_labels_are_dropped_to_the_null_class_at_the_given_share(tmp_path):
    labels = []

    def spy(prediction, batch):
        labels.append(batch.labels)
        return plain(prediction, batch)

    train(tmp_path, spy, {**OPTIONS, "batch_size": 128, "class_dropout": 0.25})
    dropped = (torch.cat(labels) == null_label(toy_denoiser())).float().mean()
    assert dropped.item() == pytest.approx(0.25, abs=0.05)


def test_noisy_latents_follow_the_forward_process_at_uniform_steps(tmp_path):
    seen = []

    def spy(prediction, batch):
        spread = batch.alpha_bar[:, None, None, None]
        z_t = spread.sqrt() * batch.z0 + (1 - spread).sqrt() * batch.noise
        torch.testing.assert_close(batch.z_t, z_t)
        seen.append(batch.alpha_bar)
        return plain(prediction, batch)

    train(tmp_path, spy, {**OPTIONS, "batch_size": 128})
    # Uniform in t: ᾱ_t is below 0.078 for the later half of the steps.
    assert (torch.cat(seen) < 0.0786).float().mean().item() == pytest.approx(0.5, abs=0.06)
