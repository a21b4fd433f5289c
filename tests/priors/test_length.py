"""When a prior has trained enough: by a held-out loss that falls no more, or by a budget."""

import math
from itertools import count

import numpy as np
import pytest
import torch

from lighthouse.priors import training
from lighthouse.priors.held_out import held_out_loss
from lighthouse.priors.length import REASONS, Length, peak_rate
from lighthouse.priors.objectives import plain
from toy import toy_denoiser
from trainings import OPTIONS, StoppedError, assert_same, stopping_at, toy_latents, train

RULE = {"every": 10, "patience": 2, "least": 0.01, "steps": None, "minutes": None}
TRAPEZOID = {"kind": "trapezoid", "warmup_steps": 4, "cooldown": 0.5}


def length(schedule=TRAPEZOID, **rule):
    return Length({"batch_size": 6, "schedule": schedule, "stop": {**RULE, **rule}}, 12)


def run(course, losses=None, seconds_a_step=0.0):
    """Go through a training whose looks find these losses, a falling one each unless given."""
    losses = iter(losses) if losses else (1 / n for n in count(1))
    done = 0
    while course.goes_on(done):
        done += 1
        if course.is_due(done):
            course.look(done, next(losses), done * seconds_a_step)
    return done


def test_steps_and_epochs_are_known_beforehand():
    for given, steps in (({"steps": 30}, 30), ({"epochs": 3}, 6)):
        course = Length({"batch_size": 6, "schedule": TRAPEZOID, **given}, 12)
        assert (course.end, course.ended_by) == (steps, "steps")
        assert run(course) == steps
        assert not course.looks


def test_a_training_ends_when_its_loss_has_fallen_no_more_for_as_many_looks():
    # The lowest is the third; the fourth is lower by less than a hundredth of it.
    course = length()
    done = run(course, [1.0, 0.8, 0.5, 0.499, 0.52, *[0.4] * 9])
    assert course.ended_by == "flat"
    assert course.cooldown == 50
    assert done == course.end == 75
    assert [step for step, _ in course.looks] == [10, 20, 30, 40, 50, 60, 70, 75]


def test_a_new_lowest_loss_lets_it_go_on():
    course = length()
    run(course, [1.0, 0.8, 0.5, 0.51, 0.49, 0.5, 0.5, *[0.3] * 9])
    assert course.cooldown == 70


def test_one_look_more_than_the_patience_is_needed():
    course = length(patience=3)
    run(course, [1.0, 1.1, 1.2, 1.3, *[1.0] * 9])
    assert course.cooldown == 40


@pytest.mark.parametrize("steps", [40, 90, 91, 100, 104])
def test_a_budget_of_steps_is_met_exactly(steps):
    course = length(steps=steps)
    assert run(course) == steps
    assert course.ended_by == "step budget"
    assert steps / 1.5 - 10 < course.cooldown <= steps / 1.5


def test_a_budget_of_minutes_counts_the_time_in_which_the_rate_falls():
    course = length(minutes=1.5)
    done = run(course, seconds_a_step=1.0)
    assert course.ended_by == "minute budget"
    assert (course.cooldown, done) == (60, 90)


def test_without_patience_only_a_budget_ends_it():
    course = length(patience=None, steps=90)
    run(course, [1.0] * 20)
    assert (course.ended_by, course.end) == ("step budget", 90)


def test_every_reason_is_one_of_those_that_are_told():
    found = [Length({"steps": 3, "batch_size": 6, "schedule": TRAPEZOID}, 12)]
    found += [length(), length(steps=40), length(minutes=1)]
    run(found[1], [1.0] * 20)
    run(found[2])
    run(found[3], seconds_a_step=1.0)
    assert [course.ended_by for course in found] == list(REASONS)


def test_the_rate_goes_up_stays_and_falls_to_its_end():
    course = length()
    run(course, [1.0] * 20)
    shares = [course.trapezoid(step) for step in range(course.end)]
    start = course.cooldown
    assert shares[:5] == [0.25, 0.5, 0.75, 1, 1]
    assert set(shares[4 : start + 1]) == {1.0}
    assert shares[start:] == pytest.approx(np.linspace(1, 0, course.end - start + 1)[:-1])


def test_a_rate_by_width_is_inverse_to_it():
    assert peak_rate({"learning_rate": 0.02}, 64) == 0.02
    assert peak_rate({"learning_rate": "by-width"}, 64) == pytest.approx(6e-3)
    assert peak_rate({"learning_rate": "by-width"}, 384) == pytest.approx(1e-3)


def stopped(every=2, **rule):
    options = {key: value for key, value in OPTIONS.items() if key != "steps"}
    return {**options, "schedule": TRAPEZOID, "stop": {**RULE, "every": every, **rule}}


HELD_OUT = toy_latents()[:6, 0], np.arange(6) % 3


def test_the_looks_are_at_the_averaged_weights(tmp_path):
    # Averages that stay as they were: each look is at the first weights, and the run is flat.
    options = stopped(patience=2) | {"ema": 1.0}
    model, record = train(tmp_path, options=options, held_out=HELD_OUT)
    first = held_out_loss(toy_denoiser(), *HELD_OUT)
    assert [loss for _, loss in record["looks"]] == pytest.approx([first] * len(record["looks"]))
    assert (record["ended_by"], record["steps"]) == ("flat", 9)
    assert_same(model, toy_denoiser())


def test_the_last_look_is_at_the_weights_that_are_kept(tmp_path):
    model, record = train(tmp_path, options=stopped(steps=13), held_out=HELD_OUT)
    assert record["looks"][-1] == [13, pytest.approx(held_out_loss(model, *HELD_OUT))]
    assert record["steps"] == 13


def test_the_looks_change_nothing_of_a_training(tmp_path):
    one, _ = train(tmp_path, options=stopped(every=2, steps=12), held_out=HELD_OUT)
    # The same course of the rate by steps that were given.
    options = OPTIONS | {"steps": 12, "schedule": TRAPEZOID}
    other, _ = train(tmp_path, options=options)
    assert_same(one, other)


@pytest.mark.parametrize("step", [3, 7, 11])
def test_an_interrupted_run_goes_on_with_its_looks(tmp_path, step):
    options = stopped(steps=14)
    with pytest.raises(StoppedError):
        train(tmp_path, stopping_at(step), options, seconds=0, held_out=HELD_OUT)
    resumed, found = train(tmp_path, options=options, held_out=HELD_OUT)
    whole, expected = train(tmp_path / "elsewhere", options=options, held_out=HELD_OUT)
    assert_same(resumed, whole)
    assert found == expected


def test_a_budget_of_minutes_counts_those_before_an_interruption(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(training.time, "monotonic", lambda: now[0])

    def slow(stop=math.inf):
        steps = count()

        def objective(prediction, batch):
            if next(steps) >= stop:
                raise StoppedError
            now[0] += 6
            return plain(prediction, batch)

        return objective

    options = stopped(minutes=1.5)
    with pytest.raises(StoppedError):
        train(tmp_path, slow(5), options, seconds=0, held_out=HELD_OUT)
    _, record = train(tmp_path, slow(), options, held_out=HELD_OUT)
    assert (record["ended_by"], record["steps"]) == ("minute budget", 15)


def test_steps_of_a_rate_by_width_are_of_that_size(tmp_path):
    options = OPTIONS | {"steps": 1, "schedule": {"kind": "constant"}, "gradient_clip": None}
    model, _ = train(tmp_path, options=options | {"learning_rate": "by-width", "ema": 0.0})
    moved = [
        (one - other).abs().max()
        for one, other in zip(model.parameters(), toy_denoiser().parameters(), strict=True)
    ]
    # Adam's first step moves what has a gradient by its rate.
    heads = model.config.num_attention_heads * model.config.attention_head_dim
    assert torch.stack(moved).max().item() == pytest.approx(0.384 / heads, rel=0.01)
