"""Checkpoints: what was saved comes back, and to none but the run that left it."""

import logging
import pickle
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from lighthouse.runtime import checkpoint
from lighthouse.runtime.checkpoint import Pace, key_of, resume, save


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


def waits(monkeypatch, seconds, takes):
    """Seconds from a checkpoint that takes so long to the next one that is due."""
    now = [100.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    pace = Pace(seconds)
    with pace.saving():
        now[0] += takes
    for waited in range(1000):
        if pace.is_due():
            return waited
        now[0] += 1
    raise AssertionError("never due")


def test_checkpoints_are_some_seconds_apart_and_take_a_fiftieth_of_the_time_at_most(monkeypatch):
    assert waits(monkeypatch, 20, takes=0.1) == 21
    assert waits(monkeypatch, 20, takes=8) == 401
    assert waits(monkeypatch, 0, takes=8) == 1


def torn(path):
    path.write_bytes(path.read_bytes()[:-400])


def empty(path):
    path.write_bytes(b"")


def garbage(path):
    path.write_bytes(b"garbage" * 300)


def foreign_pickle(path):
    path.write_bytes(pickle.dumps(Path("x")))


def damaged(path):
    """One byte of a weight is another: torch would load it."""
    held = bytearray(path.read_bytes())
    held[held.index(torch.tensor(WEIGHT).numpy().tobytes())] ^= 1
    path.write_bytes(held)
    torch.load(path, weights_only=True)


def without_its_step(path):
    state = torch.load(path)
    del state["step"]
    torch.save(state, path)


def without_an_optimizer(path):
    state = torch.load(path)
    del state["parts"]["optimizer"]
    torch.save(state, path)


def of_another_shape(path):
    state = torch.load(path)
    state["parts"]["model"]["bias"] = torch.zeros(3)
    torch.save(state, path)


def of_another_optimizer(path):
    state = torch.load(path)
    state["parts"]["optimizer"]["param_groups"][0]["params"].pop()
    torch.save(state, path)


def of_another_generator(path):
    state = torch.load(path)
    state["rng"] = state["rng"][:9]
    torch.save(state, path)


WEIGHT = 0.7071678


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (torn, "cut short"),
        (empty, "cut short"),
        (garbage, "cut short"),
        (foreign_pickle, "cut short"),
        (damaged, "is damaged"),
        (without_its_step, "has no step"),
        (without_an_optimizer, "(optimizer|'optimizer')"),
        (of_another_shape, "its model has other tensors"),
        (of_another_optimizer, "doesn't match the size"),
        (of_another_generator, "RNG state"),
    ],
)
def test_one_that_cannot_be_used_is_set_aside_and_nothing_of_it_loaded(
    tmp_path, caplog, spoil, reason
):
    left = parts(0)
    with torch.no_grad():
        left["model"].bias[0] = WEIGHT
    save(tmp_path / "c", "key", left, torch.Generator(), 7)
    spoil(tmp_path / "c")
    spoilt = (tmp_path / "c").read_bytes()
    mine, rng = parts(1), torch.Generator().manual_seed(1)
    with caplog.at_level(logging.INFO, "lighthouse"):
        assert resume(tmp_path / "c", "key", mine, rng) == (0, None)
    (line,) = caplog.messages
    assert "\n" not in line
    assert re.search(reason, line)
    assert line.startswith(str(tmp_path / "c"))
    assert line.endswith("set aside as c.unreadable, and begun anew")
    assert [path.name for path in tmp_path.iterdir()] == ["c.unreadable"]
    assert (tmp_path / "c.unreadable").read_bytes() == spoilt
    fresh = parts(1)
    for name in ("weight", "bias"):
        ours, new = (getattr(p["model"], name) for p in (mine, fresh))
        assert torch.equal(ours, new)
        for moment in ("exp_avg", "exp_avg_sq"):
            states = mine["optimizer"].state[ours][moment], fresh["optimizer"].state[new][moment]
            assert torch.equal(*states)
    assert torch.equal(rng.get_state(), torch.Generator().manual_seed(1).get_state())
