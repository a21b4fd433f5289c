"""Checkpoints: what was saved comes back, and to none but the run that left it."""

import pytest
import torch
from torch import nn

from lighthouse.runtime.checkpoint import key_of, resume, save


def parts(seed):
    torch.manual_seed(seed)
    model = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters(), 0.1)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return {"model": model, "optimizer": optimizer}


def test_a_state_comes_back_with_its_step_its_draws_and_what_else_was_kept(tmp_path):
    rng = torch.Generator().manual_seed(3)
    torch.randn(5, generator=rng)
    save(tmp_path / "c", "key", parts(0), rng, 7, [{"loss": torch.tensor(0.5)}])
    other, fresh = parts(1), torch.Generator()
    assert resume(tmp_path / "c", "key", other, fresh) == (7, [{"loss": torch.tensor(0.5)}])
    assert torch.equal(other["model"].weight, parts(0)["model"].weight)
    moment = other["optimizer"].state[other["model"].weight]["exp_avg"]
    first = parts(0)
    assert torch.equal(moment, first["optimizer"].state[first["model"].weight]["exp_avg"])
    assert torch.equal(torch.randn(2, generator=fresh), torch.randn(2, generator=rng))


@pytest.mark.parametrize("left", [True, False], ids=["another key", "no file"])
def test_without_a_checkpoint_of_ones_own_nothing_changes(tmp_path, left):
    if left:
        save(tmp_path / "c", "another", parts(0), torch.Generator(), 7)
    mine, rng = parts(1), torch.Generator().manual_seed(1)
    assert resume(tmp_path / "c", "key", mine, rng) == (0, None)
    assert torch.equal(mine["model"].weight, parts(1)["model"].weight)
    assert torch.equal(rng.get_state(), torch.Generator().manual_seed(1).get_state())


def test_a_key_follows_options_names_and_weights():
    weights = {"a": torch.zeros(2), "b": torch.ones(2)}
    key = key_of([{"steps": 3}, 0], weights)
    assert key == key_of([{"steps": 3}, 0], {name: t.clone() for name, t in weights.items()})
    assert key != key_of([{"steps": 4}, 0], weights)
    assert key != key_of([{"steps": 3}, 0], {**weights, "b": torch.zeros(2)})
    assert key != key_of([{"steps": 3}, 0], {"a": weights["a"], "c": weights["b"]})
