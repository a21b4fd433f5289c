"""Checkpoints of our own key that cannot be used: what the log says of them."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from lighthouse.runtime import checkpoint
from wrong.spoiling import spoil


def told(entry: Mapping, folder: Path) -> str:
    """The log's line: the checkpoint is set aside, and the training begins anew.

    Of one that is whole ``without`` an entry, of another ``shape``, or spoilt.
    """
    path, model = folder / "checkpoint", nn.Linear(2, entry.get("shape", 2))
    parts = {"model": model, "optimizer": torch.optim.AdamW(model.parameters())}
    checkpoint.save(path, "key", parts, torch.Generator(), 7)
    if "without" in entry:
        state = torch.load(path)
        del state[entry["without"]]
        torch.save(state, path)
    spoil(folder, entry.get("spoil", ()))
    model, lines = nn.Linear(2, 2), []
    parts = {"model": model, "optimizer": torch.optim.AdamW(model.parameters())}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.log, "warning", lambda text, *words: lines.append(text % words))
        assert checkpoint.resume(path, "key", parts, torch.Generator()) == (0, None)
    assert not path.exists()
    assert path.with_name("checkpoint.unreadable").exists()
    return "\n".join(lines)
