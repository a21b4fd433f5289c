"""How a device is given its work: graphs and compiled code compute what plain calls do."""

import shutil

import pytest
import torch

from lighthouse.couplings import joint
from lighthouse.diffusion.denoiser import new_denoiser
from lighthouse.diffusion.sampler import sample
from lighthouse.runtime import launching
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.launching import WARM, Replayed, at_work, compiled, launched
from recorders import Exact
from sampling import GUIDED, OPTIONS, relative, run
from toy import CHANNELS, CLASSES, SIDE, redrawn, toy_denoiser, toy_sets


class Recorder(Exact):
    """A recorder that needs no GPU: as a graph, what it records reads and writes where it stood."""

    def record(self, work):
        kept = work()

        def replay():
            self.replayed += 1
            for place, value in zip(_values(kept), _values(work()), strict=True):
                place.copy_(value)

        for place in _values(kept):
            place.fill_(torch.nan)  # a graph that was not replayed has computed nothing
        return replay, kept


def _values(found):
    return list(found.values()) if isinstance(found, dict) else [found]


@pytest.fixture
def recorder(monkeypatch):
    made = Recorder()
    monkeypatch.setattr(launching, "Recorder", lambda: made)
    monkeypatch.setattr(launching, "at_work", lambda launch, device: launch)
    return made


def test_a_replayed_step_gives_what_the_step_gives_for_each_shape(recorder):
    step = Replayed(lambda x, y: {"sum": x + y, "product": x * y})
    for n in range(2 * WARM + 2):
        for size in (2, 3):
            x, y = torch.full((size,), float(n)), torch.arange(float(size))
            found = step(x, y)
            assert torch.equal(found["sum"], x + y)
            assert torch.equal(found["product"], x * y)
    assert (recorder.warmed, recorder.replayed) == (2 * WARM, 2 * (WARM + 2))


def test_what_a_replayed_step_gave_is_not_written_over_by_the_next(recorder):
    step = Replayed(lambda x: 2 * x)
    given = [torch.tensor([float(n)]) for n in range(WARM + 3)]
    assert [step(x).item() for x in given] == [2 * x.item() for x in given]
    found = [step(x) for x in given]
    assert [x.item() for x in found] == [2 * x.item() for x in given]


def test_a_step_that_trains_does_so_once_a_call(monkeypatch):
    def trained(launch):
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 1)
        optimizer = torch.optim.SGD(layer.parameters(), 0.1, momentum=0.9)

        def step(x, y):
            loss = (layer(x) - y).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return {"loss": loss.detach()}

        work, losses = launched(step, launch, "cpu"), []
        for _ in range(2 * WARM):
            losses.append(work(torch.randn(4, 3), torch.randn(4, 1))["loss"].item())
        return layer.weight, losses

    weight, losses = trained("plain")
    recorder = Exact()
    monkeypatch.setattr(launching, "Recorder", lambda: recorder)
    monkeypatch.setattr(launching, "at_work", lambda launch, device: launch)
    again, seen = trained("graphs")
    assert torch.equal(again, weight)
    assert seen == losses
    assert (recorder.warmed, recorder.replayed) == (WARM, WARM)


def test_samples_by_graphs_are_those_of_plain_calls(recorder):
    model, options = toy_denoiser(), {**OPTIONS, "steps": 8}
    found = sample(model, toy_sets(3), joint(3), GUIDED, options, "graphs").latents
    assert recorder.replayed > 0
    assert torch.equal(found, run(model, 3, joint, GUIDED, options))


def test_a_cpu_has_no_graphs():
    assert [at_work(launch, "cpu") for launch in ("plain", "graphs", "compiled")] == [
        "plain",
        "plain",
        "compiled",
    ]
    assert at_work("graphs", "cuda") == "graphs"
    assert launched(len, "graphs", "cpu") is len


def test_without_a_compiler_one_message_says_what_to_do(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with (
        pytest.raises(DataError, match="there is no no-such-compiler: install one, name another"),
        compiled([], "compiled"),
    ):
        pass


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_blocks_are_compiled_as_one_and_give_the_samples_of_plain_ones_but_for_rounding():
    from torch._dynamo.utils import counters

    options = {**OPTIONS, "steps": 3, "micro_batch": 4}  # calls of one size
    shape = {"layers": 4, "heads": 2, "head_dim": 8, "patch_size": 2}
    model = redrawn(new_denoiser(shape, CHANNELS, SIDE, len(CLASSES)), 0.2)
    names = [*model.state_dict()]
    sets = {"classes": [1]}
    torch._dynamo.reset()
    counters.clear()
    found = sample(model, toy_sets(2, **sets), joint(2), GUIDED, options, "compiled").latents
    # What the first block is given lies otherwise in memory than what the others are.
    assert counters["stats"]["unique_graphs"] == 2
    assert relative(found, run(model, 2, joint, GUIDED, options, **sets)) < 1e-4
    assert [*model.state_dict()] == names
    assert all(block._compiled_call_impl is None for block in model.transformer_blocks)
