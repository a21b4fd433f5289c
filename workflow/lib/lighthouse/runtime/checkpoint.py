"""A training that was stopped goes on where it was, to the same weights."""

import hashlib
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import reading
from lighthouse.runtime.files import clear_left, read_pickle, set_aside, whole
from lighthouse.runtime.job import log

#: Share of a training's time that its checkpoints take at most. Of a large model one takes seconds.
SHARE = 0.02


class Pace:
    """When a training's next checkpoint is due: ``seconds`` behind the last.

    Later where writing the last one took more than ``SHARE`` of that; of 0 ``seconds`` always.
    """

    def __init__(self, seconds: float):
        self.seconds = self._wait = seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether it is time."""
        return time.monotonic() - self._last > self._wait

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Within it a checkpoint is written."""
        began = time.monotonic()
        yield
        self._last = time.monotonic()
        if self.seconds:
            self._wait = max(self.seconds, (self._last - began) / SHARE)


def key_of(facts: object, weights: Mapping[str, Tensor]) -> str:
    """What a checkpoint must agree with: a digest of ``facts`` and of the first weights.

    ``facts``: options, seed and data, as JSON can write them. ``weights``: a state_dict.
    """
    sha = hashlib.sha256(json.dumps(facts).encode())
    for name, tensor in weights.items():
        sha.update(name.encode())
        sha.update(tensor.cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def save(
    path: Path,
    key: str,
    parts: Mapping[str, object],
    rng: torch.Generator,
    step: int,
    extra: object = None,
) -> None:
    """Write a training's state after ``step`` steps, whole or not at all.

    ``parts``: models, optimizers and schedules by name; each one's ``state_dict`` is
    kept. ``extra``: tensors, numbers, and lists and dictionaries of them.
    """
    states = {name: part.state_dict() for name, part in parts.items()}
    state = {"key": key, "step": step, "extra": extra, "rng": rng.get_state(), "parts": states}
    # To an open file: of a full disk torch itself gives no reason.
    with whole(path) as beside, beside.open("wb") as file:
        torch.save(state, file)


def resume(
    path: Path, key: str, parts: Mapping[str, object], rng: torch.Generator
) -> tuple[int, object]:
    """Load our own checkpoint if it fits; return the step to go on from, and ``extra``.

    Step 0 and None where there is no checkpoint, or one left by a run with another key. One that
    cannot be read, or does not fit the parts though its key does, is set aside
    (``files.set_aside``), and the parts are as they were. What a run that was killed while it
    wrote one left beside it is removed.
    """
    clear_left(path)
    if not path.exists():
        return 0, None
    anew = f"set aside as {path.name}.unreadable, and begun anew"
    try:
        with reading(path, anew):
            _check_sums(path)
        state = read_pickle(path, anew)
        if state["key"] != key:
            log.info("%s was left by a run with other options: starting anew", path)
            return 0, None
        step, extra = state["step"], state["extra"]
        with reading(path, anew):
            _load(state, parts, rng)
    except DataError as error:
        set_aside(path)
        log.warning("%s", error)
        return 0, None
    log.info("going on from step %d of %s", step, path)
    return step, extra


def _check_sums(path: Path) -> None:
    """Compare the checksums of a checkpoint's parts, which torch writes and does not read."""
    if not zipfile.is_zipfile(path):
        raise ValueError("no archive of PyTorch's, or cut short")
    with zipfile.ZipFile(path) as file:
        if damaged := file.testzip():
            raise ValueError(f"its part {damaged} is damaged")


def _load(state: Mapping, parts: Mapping[str, object], rng: torch.Generator) -> None:
    """Load the state of all parts and of the generator, or of none.

    A model's names and shapes are compared first, for torch would load what fits before it
    complains. All else is small before the first step: it is loaded first, and taken back.
    """
    states = state["parts"]
    models = {name: part for name, part in parts.items() if isinstance(part, nn.Module)}
    for name, model in models.items():
        if _shapes(states[name]) != _shapes(model.state_dict()):
            raise ValueError(f"its {name} has other tensors")
    others = {name: part for name, part in parts.items() if name not in models}
    before = {name: deepcopy(part.state_dict()) for name, part in others.items()}
    try:
        for name, part in others.items():
            part.load_state_dict(states[name])
        rng.set_state(state["rng"])
    except Exception:
        for name, part in others.items():
            part.load_state_dict(before[name])
        raise
    for name, model in models.items():
        model.load_state_dict(states[name])


def _shapes(state: Mapping[str, Tensor]) -> dict[str, object]:
    return {name: tensor.shape for name, tensor in state.items()}
