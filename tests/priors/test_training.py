"""The training loop of a prior: it learns, it goes on where it stopped, it fails loudly."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from killed import killed_while_writing
from lighthouse.diffusion.denoiser import new_denoiser, null_label
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.priors import step, training
from lighthouse.priors.objectives import make_objective, plain
from lighthouse.priors.training import train_prior
from lighthouse.runtime import launching
from lighthouse.runtime.errors import DataError
from recorders import Exact
from toy import toy_denoiser
from trainings import OPTIONS, StoppedError, assert_same, stopping_at, toy_latents, train


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
    (one, one_record), (other, other_record) = train(tmp_path), train(tmp_path)
    assert_same(one, other)
    assert one_record == other_record


def test_another_seed_gives_another_model(tmp_path):
    one, other = (train(tmp_path, seed=seed)[0].proj_out_2.weight for seed in (0, 1))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("schedule", [{"kind": "one-cycle", "warmup": 0.1}, {"kind": "constant"}])
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


def test_the_seconds_of_a_resumed_run_are_those_of_all_its_attempts(tmp_path, monkeypatch):
    # A clock that a step moves on by ten seconds, and the time between two runs by a thousand.
    now = [0.0]
    monkeypatch.setattr(training.time, "monotonic", lambda: now[0])

    class Slow(nn.Module):
        def __init__(self, last):
            super().__init__()
            self.left = last

        def forward(self, prediction, batch):
            if not self.left:
                raise StoppedError
            self.left -= 1
            now[0] += 10
            return plain(prediction, batch)

    def seconds(folder, last):
        objective = Slow(last)
        arguments = np.arange(12) % 3, objective, OPTIONS, 0, folder / "checkpoint"
        return train_prior(toy_denoiser(), toy_latents(), *arguments, 0)[1]["seconds"]

    with pytest.raises(StoppedError):
        seconds(tmp_path, 5)
    now[0] += 1000
    assert seconds(tmp_path, 3) == 10 * OPTIONS["steps"]
    assert seconds(tmp_path / "elsewhere", 8) == 10 * OPTIONS["steps"]


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


def test_a_checkpoint_that_was_cut_off_at_writing_does_not_stay(tmp_path):
    cut_off = killed_while_writing(tmp_path / "checkpoint")
    other = killed_while_writing(tmp_path / "checkpoint.of-another")
    assert cut_off.exists()
    train(tmp_path)
    assert [*tmp_path.iterdir()] == [other]


def test_a_finished_run_leaves_no_checkpoint(tmp_path):
    train(tmp_path, seconds=0)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_a_number_stops_the_run_and_leaves_nothing(tmp_path):
    def broken(prediction, batch):
        return prediction.sum() * float("nan"), {}

    with pytest.raises(FloatingPointError, match="prior, step 0: the loss is nan"):
        train(tmp_path, broken)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [{"gradient_clip": 1e-6}, {"gradient_clip": None}])
def test_gradients_are_clipped_as_the_options_say(tmp_path, change):
    def steep(prediction, batch):
        loss, parts = plain(prediction, batch)
        return 1e4 * loss, parts  # a norm far above 1

    # Adam's step forgets a gradient's scale, but for the change of it from step to step.
    found, other = (
        train(tmp_path, steep, {**OPTIONS, **options})[0].proj_out_2.weight
        for options in ({}, change)
    )
    assert not torch.equal(found, other)


@pytest.mark.parametrize(
    ("limit", "held"),
    [
        (1e-6, {"gradients_clipped": {"held": 8, "of": 8}}),
        (1e6, {"gradients_clipped": {"held": 0, "of": 8}}),
        (None, {}),
    ],
)
def test_steps_whose_gradient_was_clipped_are_counted(tmp_path, limit, held):
    assert train(tmp_path, options={**OPTIONS, "gradient_clip": limit})[1]["held"] == held


def test_the_weights_kept_are_the_average_of_those_of_all_steps(tmp_path):
    # At decay 0 the last weights are kept. A constant rate makes the steps of a longer
    # run those of a shorter one, and more.
    constant = {**OPTIONS, "schedule": {"kind": "constant"}}
    last = [
        train(tmp_path, options={**constant, "steps": steps, "ema": 0.0})[0].proj_out_2.weight
        for steps in (1, 2, 3)
    ]
    found = train(tmp_path, options={**constant, "steps": 3, "ema": 0.9})[0].proj_out_2.weight
    expected = toy_denoiser().proj_out_2.weight
    for weight in last:
        expected = 0.9 * expected + 0.1 * weight
    torch.testing.assert_close(found, expected)


def test_labels_are_dropped_to_the_null_class_at_the_given_share(tmp_path):
    labels = []

    def spy(prediction, batch):
        labels.append(batch.labels)
        return plain(prediction, batch)

    train(tmp_path, spy, {**OPTIONS, "batch_size": 128, "class_dropout": 0.25})
    dropped = (torch.cat(labels) == null_label(toy_denoiser())).float().mean()
    assert dropped.item() == pytest.approx(0.25, abs=0.05)


def test_a_dropped_label_leaves_the_true_class_beside_it(tmp_path):
    def spy(prediction, batch):
        assert torch.equal(batch.classes, batch.chosen % 3)
        told = batch.labels != null_label(toy_denoiser())
        assert torch.equal(batch.labels[told], batch.classes[told])
        return plain(prediction, batch)

    train(tmp_path, spy, {**OPTIONS, "batch_size": 128, "class_dropout": 0.5})


def test_noisy_latents_follow_the_forward_process_at_uniform_steps(tmp_path):
    seen = []

    def spy(prediction, batch):
        spread = batch.alpha_bar[:, None, None, None]
        z_t = spread.sqrt() * batch.z0 + (1 - spread).sqrt() * batch.noise
        assert spread.dtype == torch.float64
        torch.testing.assert_close(batch.z_t, z_t.float())
        seen.append(batch.alpha_bar)
        return plain(prediction, batch)

    train(tmp_path, spy, {**OPTIONS, "batch_size": 128})
    # Uniform in t: ᾱ_t is below 0.078 for the later half of the steps.
    assert (torch.cat(seen) < 0.0786).float().mean().item() == pytest.approx(0.5, abs=0.06)


# An objective with memories.


def minimax(step=None):
    """MiniMax with weights that show, which may stop the run at a step."""
    options = {"positive": 0.5, "negative": 0.5, "memory": 4}
    objective = make_objective(OBJECTIVES["minimax"].make, options, np.zeros((3, 4, 4, 4)))

    def stop(module, arguments):
        if step is not None and len(steps) == step:
            raise StoppedError
        steps.append(1)

    steps = []
    objective.register_forward_pre_hook(stop)
    return objective


@pytest.mark.parametrize("step", [1, 5])
def test_memories_go_on_as_those_of_a_run_that_was_not_interrupted(tmp_path, step):
    with pytest.raises(StoppedError):
        train(tmp_path, minimax(step), seconds=0)
    resumed, whole = minimax(), minimax()
    one, record = train(tmp_path, resumed)
    other, expected = train(tmp_path / "elsewhere", whole)
    assert_same(one, other)
    assert_same(resumed, whole)
    assert record == expected
    assert whole.seen.sum() == OPTIONS["steps"] * OPTIONS["batch_size"]


def test_memories_change_what_is_learned_and_are_recorded(tmp_path):
    trained, record = train(tmp_path, minimax())
    assert not torch.equal(trained.proj_out_2.weight, train(tmp_path)[0].proj_out_2.weight)
    assert record["losses"].keys() == {"noise", "representative", "diverse"}
    assert record["losses"]["representative"] > 0


def test_memories_are_refused_in_several_processes(tmp_path, monkeypatch):
    several = SimpleNamespace(num_processes=2, process_index=0)
    monkeypatch.setattr(training, "Accelerator", lambda **options: several)
    with pytest.raises(DataError, match=r"MiniMax, keeps memories .* compute\.training_gpus: 1"):
        train(tmp_path, minimax())
    # One without goes on to share the batch.
    with pytest.raises(ValueError, match="batch_size 5 is not a multiple of the 2 processes"):
        train(tmp_path, options={**OPTIONS, "batch_size": 5})


# Launching.


@pytest.fixture
def recorder(monkeypatch):
    made = Exact()
    monkeypatch.setattr(launching, "Recorder", lambda: made)
    for place in (launching, step):
        monkeypatch.setattr(place, "at_work", lambda launch, device: launch)
    return made


def assert_close(found, expected, **tolerance):
    for name, weight in expected.state_dict().items():
        if not name.endswith("to_k.bias"):  # whose gradient is nothing but rounding
            torch.testing.assert_close(found.state_dict()[name], weight, **tolerance)


TRAPEZOID = {"kind": "trapezoid", "warmup_steps": 2, "cooldown": 0.5}


@pytest.mark.parametrize("schedule", [TRAPEZOID, {"kind": "constant"}], ids=["trapezoid", "level"])
def test_a_training_by_graphs_is_one_by_plain_steps(tmp_path, recorder, schedule):
    options = {**OPTIONS, "schedule": schedule}
    plain_one, expected = train(tmp_path, options=options)
    graphs, found = train(tmp_path, options=options, launch="graphs")
    assert recorder.replayed == OPTIONS["steps"] - launching.WARM
    assert (expected.pop("launch"), found.pop("launch")) == ("plain", "graphs")
    assert found["losses"] == pytest.approx(expected["losses"], rel=1e-5)
    # Adam's steps are reckoned from tensors, and differ by rounding.
    assert_close(graphs, plain_one, atol=1e-5, rtol=1e-4)


def test_an_interrupted_training_by_graphs_goes_on_as_one(tmp_path, recorder):
    options = {**OPTIONS, "schedule": TRAPEZOID}
    with pytest.raises(StoppedError):
        train(tmp_path, stopping_at(5), options, seconds=0, launch="graphs")
    resumed, _ = train(tmp_path, options=options, launch="graphs")
    whole, _ = train(tmp_path / "elsewhere", options=options, launch="graphs")
    assert_same(resumed, whole)


@pytest.mark.parametrize(
    "options",
    [{}, {"schedule": TRAPEZOID, "gradient_checkpointing": True}],
    ids=["one-cycle", "activations twice"],
)
def test_what_no_graph_can_hold_is_launched_plainly(tmp_path, recorder, options):
    _, record = train(tmp_path, options={**OPTIONS, **options}, launch="graphs")
    assert (record["launch"], recorder.replayed) == ("plain", 0)


def test_an_objective_that_keeps_something_is_launched_plainly(tmp_path, recorder):
    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, prediction, batch):
            self.seen += 1
            return plain(prediction, batch)

    options = {**OPTIONS, "schedule": {"kind": "constant"}}
    _, record = train(tmp_path, Keeping(), options, launch="graphs")
    assert (record["launch"], recorder.replayed) == ("plain", 0)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler")
def test_a_compiled_training_is_a_plain_one_but_for_rounding(tmp_path):
    options = {**OPTIONS, "steps": 4, "schedule": {"kind": "constant"}}
    one, _ = train(tmp_path, options=options)
    other, record = train(tmp_path, options=options, launch="compiled")
    assert record["launch"] == "compiled"
    assert list(other.state_dict()) == list(one.state_dict())
    assert_close(other, one, atol=2e-4, rtol=1e-3)
