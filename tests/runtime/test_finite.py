"""A loss that is not finite: found whenever one looks, and told as if one had looked at once."""

import math

import pytest
import torch

from lighthouse.runtime.finite import LossWatch, check_weights

#: Of three images the first has the largest finite output, the last one that is not finite.
OUTPUTS = torch.tensor([[[9.0, -99.0]], [[0.0, 1.0]], [[2.0, math.nan]]])
CHOSEN = torch.tensor([40, 50, 60])


def steps(bad):
    """Ten steps, of which those in ``bad`` have that loss."""
    for step in range(10):
        loss = torch.tensor(bad.get(step, 1.0))
        yield loss, OUTPUTS[: 2 if loss.isinf() else 3], CHOSEN, f"toy, step {step}"


def message(check):
    with pytest.raises(FloatingPointError) as error:
        check()
    return str(error.value)


@pytest.mark.parametrize("every", [1, 3, 4, 100])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({3: math.nan}, "toy, step 3: the loss is nan; worst output: that of training image 60"),
        ({9: -math.inf}, "toy, step 9: the loss is -inf; worst output: that of training image 40"),
        (
            {4: math.inf, 5: math.nan},
            "toy, step 4: the loss is inf; worst output: that of training image 40",
        ),
    ],
)
def test_the_message_is_that_of_the_first_bad_step_however_seldom_one_looks(every, bad, said):
    def seen():
        watch = LossWatch(every)
        for step in steps(bad):
            watch.add(*step)
        watch.look()

    assert message(seen) == said


@pytest.mark.parametrize(("every", "seen"), [(1, 3), (3, 5), (6, 5), (7, 6)])
def test_a_training_stops_at_the_next_look(every, seen):
    watch, added = LossWatch(every), []
    with pytest.raises(FloatingPointError, match="step 3"):
        for number, step in enumerate(steps({3: math.nan})):
            added.append(number)
            watch.add(*step)
    assert added[-1] == seen
    watch.look()  # nothing is left of it


def test_finite_losses_stop_nothing():
    watch = LossWatch(4)
    for step in steps({}):
        watch.add(*step)
    watch.look()
    watch.look()


def test_a_loss_that_is_written_over_is_remembered_as_it_was():
    watch, loss = LossWatch(10), torch.tensor(math.nan)
    watch.add(loss, OUTPUTS, CHOSEN, "toy, step 0")
    loss.fill_(1.0)
    watch.add(loss, OUTPUTS, CHOSEN, "toy, step 1")
    assert "step 0: the loss is nan" in message(watch.look)


def test_of_several_networks_the_first_that_is_not_finite_is_named():
    watch = LossWatch(10)
    outputs, names = torch.stack([OUTPUTS.nan_to_num(0), OUTPUTS]), ("one", "two")
    for step, losses in enumerate([[1.0, 1.0], [1.0, math.nan], [math.inf, 1.0]]):
        chosen = torch.tensor([[1, 2, 3], [4, 5, 6]])
        watch.add(torch.tensor(losses), outputs, chosen, *(f"{n}, step {step}" for n in names))
    said = "two, step 1: the loss is nan; worst output: that of training image 6"
    assert message(watch.look) == said


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_the_last_update_did_is_looked_at(bad):
    weights = [torch.ones(3), torch.tensor([1.0, bad])]
    check_weights(weights[:1], "toy")
    assert message(lambda: check_weights(weights, "toy")) == (
        "toy: weights are not finite after the last step: lower the learning rate"
    )
