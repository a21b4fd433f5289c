"""The course of the learning rate and the clipping of gradients, by hand."""

import math

import pytest
import torch

from lighthouse.runtime.optimizers import AdamW, clip_gradients, rate_schedule


def rates(schedule, steps=100, peak=0.02):
    """The learning rate of each step."""
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = AdamW([weight], peak)
    course = rate_schedule(optimizer, schedule, peak, steps)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        course.step() if len(found) < steps else None
    return found


@pytest.mark.parametrize("warmup", [0.1, 0.3, 0.5])
def test_one_cycle_rises_for_its_share_of_the_steps_and_falls_for_the_rest(warmup):
    found = rates({"kind": "one-cycle", "warmup": warmup})
    top = found.index(max(found))
    assert top == pytest.approx(100 * warmup, abs=1)
    assert found[0] == pytest.approx(0.02 / 25)
    assert max(found) == pytest.approx(0.02, rel=1e-3)
    assert found[-1] == pytest.approx(0.02 / 250_000, rel=1e-3)
    middle = found[top + (99 - top) // 2]
    assert middle == pytest.approx(0.02 * (1 + math.cos(math.pi / 2)) / 2, abs=0.0005)


def test_a_constant_rate_is_constant():
    assert set(rates({"kind": "constant"})) == {0.02}


@pytest.mark.parametrize(("limit", "norm"), [(1.0, 1.0), (2.5, 2.5), (10.0, 5.0), (None, 5.0)])
def test_the_norm_of_all_gradients_together_is_held(limit, norm):
    weights = [torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(2))]
    weights[0].grad, weights[1].grad = torch.tensor([3.0]), torch.tensor([0.0, 4.0])
    clip_gradients(weights, {"gradient_clip": limit})
    found = torch.cat([weight.grad for weight in weights])
    assert found.norm().item() == pytest.approx(norm, rel=1e-5)
    torch.testing.assert_close(found / found.norm(), torch.tensor([0.6, 0.0, 0.8]))
