"""What is held within bounds is counted, on its device, and told where it is much."""

import logging

import pytest
import torch

from lighthouse.runtime.tally import BOUNDS, Tally


def test_cases_add_up_whatever_they_are_counted_with():
    tally = Tally()
    tally.add("pixels_clipped", torch.tensor([True, False, True]).sum(), 3)
    tally.add("pixels_clipped", 1, torch.tensor(5))
    tally.add("gradients_clipped", torch.tensor(False).long(), 1)
    expected = {
        "gradients_clipped": {"held": 0, "of": 1},
        "pixels_clipped": {"held": 3, "of": 8},
    }
    assert tally.counts() == expected
    assert Tally(expected).counts() == expected


def test_a_count_goes_on_from_a_checkpoint():
    tally = Tally({"gradients_clipped": {"held": 2, "of": 3}})
    tally.add("gradients_clipped", torch.tensor(1), 1)
    assert tally.counts() == {"gradients_clipped": {"held": 3, "of": 4}}


def test_no_number_is_read_before_it_is_asked_for(monkeypatch):
    def forbidden(self):
        raise AssertionError("an accelerator would be waited for")

    tally = Tally()
    monkeypatch.setattr(torch.Tensor, "__int__", forbidden)
    monkeypatch.setattr(torch.Tensor, "item", forbidden)
    tally.add("gradients_clipped", torch.tensor(1), 1)
    tally.add("gradients_clipped", torch.tensor(0), 1)
    monkeypatch.undo()
    assert tally.counts()["gradients_clipped"]["held"] == 1


@pytest.mark.parametrize("name", list(BOUNDS))
def test_a_share_is_told_where_it_is_above_what_is_much(name, caplog):
    few, many = Tally(), Tally()
    of = 1000
    few.add(name, round(BOUNDS[name].much * of), of)
    many.add(name, round(BOUNDS[name].much * of) + 1, of)
    with caplog.at_level(logging.WARNING, logger="lighthouse"):
        few.tell("work")
        assert not caplog.messages
        many.tell("work")
    (message,) = caplog.messages
    assert message.startswith("work: ")
    assert message.endswith(f" % of 1,000: {BOUNDS[name].says}")
