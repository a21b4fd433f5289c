"""A training that was stopped goes on where it was, to the same weights."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from lighthouse.runtime.files import clear_parts, whole
from lighthouse.runtime.job import log


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
    with whole(path) as beside:
        torch.save(
            {"key": key, "step": step, "extra": extra, "rng": rng.get_state(), "parts": states},
            beside,
        )


def resume(
    path: Path, key: str, parts: Mapping[str, object], rng: torch.Generator
) -> tuple[int, object]:
    """Load our own checkpoint if it fits; return the step to go on from, and ``extra``.

    Step 0 and None where there is no checkpoint, or one left by a run with another key.
    What a run that was killed while it wrote one left beside it is removed.
    """
    clear_parts(path)
    if not path.exists():
        return 0, None
    state = torch.load(path, weights_only=True, map_location="cpu")
    if state.get("key") != key:
        log.info("%s was left by a run with other options: starting anew", path)
        return 0, None
    for name, part in parts.items():
        part.load_state_dict(state["parts"][name])
    rng.set_state(state["rng"])
    log.info("going on from step %d of %s", state["step"], path)
    return state["step"], state["extra"]
